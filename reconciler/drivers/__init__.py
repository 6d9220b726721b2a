"""Drivers: each translates between the core's words and one kind of target, and decides nothing."""

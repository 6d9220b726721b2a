"""Secrets: where values come from, how they travel masked, and how they are kept out of everything that is shown."""

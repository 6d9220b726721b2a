"""Certificates that were brought along: what is in them, and whether they are in order."""

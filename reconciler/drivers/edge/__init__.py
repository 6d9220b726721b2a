"""Caddy as the edge proxy: what its configuration is to be, what it is, and how to ask it. Who runs it is another's."""

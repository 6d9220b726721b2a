"""Asks the DNS: what the authoritative servers of a name say, and under which addresses this machine is reached."""

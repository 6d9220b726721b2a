"""The ledger: what the daemon remembers between its lives, and the history that people read."""

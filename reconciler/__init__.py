"""reconciler: git says what should be; a daemon keeps servers and clusters that way."""

__version__ = "0.1.0.dev0"

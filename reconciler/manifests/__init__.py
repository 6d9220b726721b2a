"""What people write: identities, models of every kind, and the way from bytes to a catalog of one revision.

Pure: no I/O, no clock, no logging. Whoever has bytes (a source, the command line) calls ``decode`` and ``catalog``.
"""

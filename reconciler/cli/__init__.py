"""The command line: parses, asks, renders; decides nothing.

One module per group of verbs. Only what a verb needs is imported, and only when it runs.
"""

from __future__ import annotations

import sys


def main() -> int:
    """The program ``reconciler``; returns the exit code."""
    from reconciler.cli.app import run

    return run(sys.argv[1:])

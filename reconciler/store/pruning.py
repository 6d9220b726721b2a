"""Keeps the history bounded: the oldest events go, in steps small enough that nobody waits for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

DAYS = 30.0
LIMIT = 1 << 30
STEP = 5000

Write = Callable[[Callable[[sqlite3.Connection], int]], int]
"""Runs a piece of work in a transaction of its own."""


def prune(write: Write, oldest: float, limit: int) -> int:
    """Drops events from before ``oldest`` (epoch seconds), then the oldest while the file has more than ``limit``
    bytes. Returns how many went."""
    gone = 0
    while dropped := write(lambda connection: _drop(connection, "WHERE at < ?", (oldest,))):
        gone += dropped
    while dropped := write(lambda connection: _drop(connection, "", ()) if _size(connection) > limit else 0):
        gone += dropped
    return gone


def _drop(connection: sqlite3.Connection, where: str, arguments: tuple[float, ...]) -> int:
    chosen = f"SELECT id FROM events {where} ORDER BY id LIMIT {STEP}"  # noqa: S608  # constants of ours only
    dropped = connection.execute(f"DELETE FROM events WHERE id IN ({chosen})", arguments).rowcount  # noqa: S608
    for _ in range(_pragma(connection, "freelist_count") if dropped else 0):
        connection.execute("PRAGMA incremental_vacuum(1)")  # the library takes one step a call: one page
    return dropped


def _size(connection: sqlite3.Connection) -> int:
    """Bytes of the pages that hold something."""
    used = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return used * _pragma(connection, "page_size")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

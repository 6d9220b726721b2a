"""What the database says when it fails, in the words of our errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import InvalidInput, LedgerDamaged, ReconcilerError, TransientError

_PASSING = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; look at the system's log",
    sqlite3.SQLITE_BUSY: "another program holds it; close that program",
    sqlite3.SQLITE_LOCKED: "another program holds it; close that program",
    sqlite3.SQLITE_READONLY: "it may not be written; check its owner and mode",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that it is there, its owner and mode",
    sqlite3.SQLITE_PERM: "it may not be opened; check its owner and mode",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}

_DEFECTS = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE)


def damaged(path: Path, detail: str) -> LedgerDamaged:
    """The error for a ledger that cannot be trusted, with what to do about it."""
    return LedgerDamaged(
        f"{path}: the ledger is damaged: {detail}; put a copy back, or move it away and start without it: "
        "nothing is created or removed because of that, and Approvals have to be committed anew"
    )


def translated(error: sqlite3.Error, path: Path) -> ReconcilerError:
    """Passing trouble is worth another try, a value that does not fit is its writer's defect; everything else means
    that the content cannot be trusted."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _PASSING:
        return TransientError(f"{path}: {error}: {_PASSING[code]}")
    if code in _DEFECTS or isinstance(error, sqlite3.ProgrammingError):
        return InvalidInput(f"{path}: a value does not fit the ledger: {error}; a defect, please report it")
    return damaged(path, str(error))


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Raises errors of our tree in place of the library's."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error

"""The ledger's file: made whole or not at all, owner-only from its first byte, and checked before it is believed."""

from __future__ import annotations

import os
import queue
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from reconciler.errors import TransientError
from reconciler.store.faults import damaged, translating
from reconciler.store.schema import APPLICATION_ID, MIGRATIONS

_WAIT = 5.0
_IDLE = 4
_SHAPE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def open_database(path: Path) -> sqlite3.Connection:
    """A connection for the one writer; makes the file when there is none. Raises ``LedgerDamaged`` and
    ``TransientError``."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        path.chmod(0o600)
    except OSError as error:
        raise TransientError(f"{path}: cannot be made: {error.strerror}; check its directory") from error
    with translating(path):
        connection = _connect(path)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _create(path: Path) -> None:
    """Builds the file aside and moves it into place, so that an empty one can only mean damage."""
    aside = path.with_name(f"{path.name}.new")
    for leftover in (aside, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        leftover.unlink(missing_ok=True)  # a log left by another file would be played into this one
    os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600))
    with translating(path), closing(sqlite3.connect(aside, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # first: nothing may be in the file yet
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection)
    aside.rename(path)
    _sync_directory(path.parent)


def _sync_directory(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAIT)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise damaged(path, "it is not a ledger of ours")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, str(found).strip().replace("\n", " "))
    version = _pragma(connection, "user_version")
    if version > len(MIGRATIONS):
        known = len(MIGRATIONS)
        raise damaged(path, f"its schema {version} is newer than {known}, the newest known to this version")
    _migrate(connection)
    if connection.execute(_SHAPE).fetchall() != _shape():
        raise damaged(path, "its tables are not those of a ledger")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise damaged(path, f"it stays in journal mode {mode!r}; keep it on a local disk")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _migrate(connection: sqlite3.Connection) -> None:
    """Runs the steps that are missing, each whole or not at all."""
    for version in range(_pragma(connection, "user_version"), len(MIGRATIONS)):
        script = f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;"
        try:
            connection.executescript(script)
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _shape() -> list[tuple[str, str, str, str]]:
    """What the tables of a ledger look like, from the same steps."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection)
        return connection.execute(_SHAPE).fetchall()


class Readers:
    """Read-only connections, kept for the next reader; none ever waits for the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(_IDLE)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one read transaction: everything read in it is of one moment."""
        with translating(self._path):
            connection = self._take()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def close(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(
                address, uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT
            )
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

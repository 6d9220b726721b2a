"""The one thread that writes. Writes that wait together are committed together; each returns when it is on disk."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reconciler.errors import TransientError
from reconciler.store.faults import translated

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_TOGETHER = 256


@dataclass(slots=True, eq=False)
class _Write:
    """One waiting write: what to do, what came of it, and whom to tell."""

    work: Work[Any]
    told: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.error is None:
            self.told.set_result(self.result)
        else:
            self.told.set_exception(self.error)


class Writer:
    """Owns the connection. ``commits`` counts the transactions that changed something."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.commits = 0
        self._connection = connection
        self._path = path
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def write(self, work: Work[T]) -> T:
        """Returns what ``work`` returned when it is on disk; raises what it raised, or that the disk failed."""
        write = _Write(work)
        with self._closing:
            if self._closed:
                raise TransientError(f"{self._path}: the ledger is closed")
            self._waiting.put(write)
        result: T = write.told.result()
        return result

    def close(self) -> None:
        """Returns when everything that waited is written."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, ending = self._group(first)
            self._commit(group)
            for write in group:
                write.tell()
            if ending:
                return

    def _group(self, first: _Write) -> tuple[list[_Write], bool]:
        """The first and all that wait behind it; whether the end was among them."""
        group = [first]
        with suppress(queue.Empty):
            while len(group) < _TOGETHER:
                following = self._waiting.get_nowait()
                if following is None:
                    return group, True
                group.append(following)
        return group, False

    def _commit(self, group: Sequence[_Write]) -> None:
        try:
            self._transact(group)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            if len(group) == 1:
                group[0].error = _chained(error, self._path)
                return
            for write in group:  # one that does not fit on the disk must not take the others with it
                self._commit([write])

    def _transact(self, group: Sequence[_Write]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        changed = [self._perform(write) for write in group]
        if any(changed):
            self._connection.execute("COMMIT")
            self.commits += 1
        else:
            self._connection.execute("ROLLBACK")

    def _perform(self, write: _Write) -> bool:
        """Runs one write inside the group's transaction; whether it changed a row. Its own failure is undone alone."""
        before = self._connection.total_changes
        write.error = None
        self._connection.execute("SAVEPOINT one")
        try:
            write.result = write.work(self._connection)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001  # handed to whoever asked for the write
            write.error = error
            self._connection.execute("ROLLBACK TO one")
        self._connection.execute("RELEASE one")
        return write.error is None and self._connection.total_changes > before


def _chained(error: sqlite3.Error, path: Path) -> Exception:
    """The translated error, with the library's as its cause."""
    raised = translated(error, path)
    raised.__cause__ = error
    return raised

"""Output of instances and jobs: append-only files, rotated by copying and truncating, read from the end."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.drivers.process import durable, layout
from reconciler.drivers.process.record import Given, Reader
from reconciler.drivers.process.redact import Redactor

LARGEST = 10 * 1024 * 1024  # bytes of a log before it is rotated
KEPT = 3
LAST_WORDS = 200  # lines that are kept of an instance that was removed
DEPARTED = 100  # removed instances whose last words are kept
BLOCK = 64 * 1024
POLL = 0.2  # seconds between looks at a log that is followed
QUIET = 5  # looks in vain before the reader is given a chance to leave


def rotate(folder: Path, largest: int = LARGEST) -> bool:
    """Whether the log was rotated. The program goes on writing to the same file, since it only ever appends."""
    log = folder / layout.LOG
    try:
        if log.stat().st_size < largest:
            return False
    except FileNotFoundError:
        return False
    for number in range(KEPT - 1, 0, -1):
        older = _numbered(log, number)
        if older.exists():
            os.replace(older, _numbered(log, number + 1))
    aside = folder / ".log.copy"
    shutil.copyfile(log, aside)
    os.chmod(aside, 0o600)
    os.replace(aside, _numbered(log, 1))
    os.truncate(log, 0)
    return True


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def keep_last_words(folder: Path, departed: Path, reader: Reader) -> None:
    """Before an instance is removed: what it said last, with secrets masked; of the newest hundred only."""
    masked = redactor(folder, reader)
    lines = "".join(f"{masked(line)}\n" for line in tail(folder, LAST_WORDS))
    if not lines:
        return
    kept = departed / folder.name
    kept.mkdir(mode=0o700, exist_ok=True)
    durable.write(kept / layout.LOG, lines.encode())
    for old in sorted(departed.iterdir(), key=lambda path: path.stat().st_mtime)[:-DEPARTED]:
        durable.erase(old)


def redactor(folder: Path, reader: Reader) -> Redactor:
    """Masks the secrets that the program in ``folder`` was given."""
    given = reader.read(folder / layout.LAUNCH, Given)
    return Redactor(given.env[name] for name in given.secrets) if given is not None else Redactor(())


def tail(folder: Path, lines: int) -> list[str]:
    """The last lines, oldest first, reaching into rotated files where the current one has too few."""
    log = folder / layout.LOG
    found: list[str] = []
    for path in (log, *(_numbered(log, number) for number in range(1, KEPT + 1))):
        if len(found) >= lines:
            break
        found = _last_lines(path, lines - len(found)) + found
    return found


def _last_lines(path: Path, lines: int) -> list[str]:
    try:
        with path.open("rb") as file:
            return _read_back(file.fileno(), lines)
    except FileNotFoundError:
        return []


def _read_back(fd: int, lines: int) -> list[str]:
    position = os.fstat(fd).st_size
    data = b""
    while position > 0 and data.count(b"\n") <= lines:
        step = min(BLOCK, position)
        position -= step
        data = os.pread(fd, step, position) + data
    return data.decode(errors="replace").splitlines()[-lines:] if lines > 0 else []


@dataclass(slots=True)
class Lines(Iterator[str]):
    """Lines of a log. With ``follow`` it goes on until it, or the driver, is closed, or the log is gone, and yields ""
    about once a second while nothing new comes, so that the reader can leave."""

    folder: Path
    redact: Redactor
    pending: list[str]
    follow: bool
    ended: threading.Event
    position: int = 0
    partial: bytes = b""
    closed: threading.Event = field(default_factory=threading.Event)

    def __next__(self) -> str:
        quiet = 0
        while not self.pending:
            if not self.follow or self.closed.is_set() or self.ended.is_set() or not self._more():
                raise StopIteration
            quiet += 1
            if quiet > QUIET and not self.pending:
                return ""
        return self.redact(self.pending.pop(0))

    def close(self) -> None:
        """May be called from another thread."""
        self.closed.set()

    def _more(self) -> bool:
        """Reads on, or waits a little; False when there is nothing left to wait for."""
        try:
            with (self.folder / layout.LOG).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self.position:
                    self.position, self.partial = 0, b""
                data = os.pread(file.fileno(), BLOCK, self.position)
        except FileNotFoundError:
            return False
        self.position += len(data)
        *whole, self.partial = (self.partial + data).split(b"\n")
        self.pending += [line.decode(errors="replace") for line in whole]
        if not data:
            self.closed.wait(POLL)
        return True


def read(folder: Path, reader: Reader, *, lines: int, follow: bool, ended: threading.Event) -> Lines:
    """The last ``lines`` of a log; what is written between the two looks may show twice, and never not at all."""
    try:
        size = (folder / layout.LOG).stat().st_size
    except FileNotFoundError:
        size = 0
    return Lines(folder, redactor(folder, reader), tail(folder, lines), follow, ended, position=size)

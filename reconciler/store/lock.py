"""One daemon per state directory: a lock that the kernel releases, however its holder ended."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.errors import AlreadyRunning, TransientError


class StateLock:
    """Holds the file at ``path`` from its making until ``release``; the holder's pid is inside, for people.

    Raises ``AlreadyRunning`` with that pid, or ``TransientError`` when the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise TransientError(f"{path}: cannot be opened: {error.strerror}; check its directory") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise AlreadyRunning(
                f"{path.parent}: is in use by process {holder}; stop that one, or use another state directory"
            ) from error
        self._write(f"{os.getpid()}\n")

    def release(self) -> None:
        """Lets another daemon in. The file stays: removing it would let two hold locks on two files of one name."""
        if self._file >= 0:
            self._write("")
            os.close(self._file)
            self._file = -1

    def _write(self, text: str) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

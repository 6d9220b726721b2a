"""A plain directory as a source: its regular files, by content, without ever following a link out of it.

Directories are opened one inside the other, so that nothing that is swapped for a link meanwhile leads elsewhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import SourceUnavailable
from reconciler.manifests.revision import File, Revision
from reconciler.sources import entries, references
from reconciler.sources.watching import Watcher, tree_of

_ATTEMPTS = 3
_DEPTH = 64
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's times prove that it did not change since: clocks of file systems are that coarse."""

Mark = tuple[int, int, int, int, int]
"""Device, inode, size, mtime and ctime in nanoseconds."""


@dataclass(slots=True)
class _Walk:
    """What one walk has found so far."""

    files: dict[str, File] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    known: dict[Mark, str] = field(default_factory=dict)


class DirectorySource:
    """Reads the directory ``root``; ``max_file`` is in bytes, ``now`` the wall clock in nanoseconds."""

    def __init__(
        self,
        name: str,
        *,
        root: Path,
        max_file: int = entries.FILE_LIMIT,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self._root = root
        self._max_file = max_file
        self._now = now
        self._known: dict[Mark, str] = {}
        self._paths: dict[str, list[str]] = {}
        self._last = Revision(name, "")
        self._watcher: Watcher | None = None

    def revision(self) -> Revision:
        """The files as they are; the very same value while none of them changed."""
        walk = _Walk()
        with self._opened() as root:
            self._walk(root, "", walk)
        self._known = walk.known
        identity = _identity(walk)
        if identity != self._last.id:
            self._paths = _by_blob(walk.files)
            self._last = Revision(self.name, identity, walk.files, walk.refused)
        return self._last

    def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these blobs, which must still be what they were in the newest revision."""
        with self._opened() as root:
            return {blob: self._content(root, blob) for blob in references.blob_ids(blobs)}

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls back when something below the root changed."""
        self._watcher = Watcher(lambda: tree_of(self._root), changed)

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            with _directory(str(self._root)) as root:
                yield root
        except OSError as error:
            raise SourceUnavailable(f"{self._root}: cannot be read: {error.strerror}; check the path") from error

    def _walk(self, folder: int, prefix: str, walk: _Walk) -> None:
        for name in sorted(os.listdir(folder)):
            path = prefix + name
            if name == ".git":
                continue
            reason = entries.unusable(path) or self._try(folder, path, walk)
            if reason:
                walk.refused[entries.printable(path)] = reason

    def _try(self, folder: int, path: str, walk: _Walk) -> str:
        try:
            return self._enter(folder, path, walk)
        except FileNotFoundError:
            return ""  # deleted since it was listed
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                return entries.SYMLINK  # it became one since it was looked at
            raise SourceUnavailable(f"{self._root / path}: cannot be read: {error.strerror}; let us read it") from error

    def _enter(self, folder: int, path: str, walk: _Walk) -> str:
        """Takes one entry into the walk; returns why it is refused, or ""."""
        name = path.rpartition("/")[2]
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(seen.st_mode):
            return entries.SYMLINK
        if stat.S_ISDIR(seen.st_mode):
            return self._descend(folder, path, walk)
        if not stat.S_ISREG(seen.st_mode):
            return entries.NOT_REGULAR
        return entries.too_large(seen.st_size, self._max_file) or self._take(folder, path, walk, seen)

    def _descend(self, folder: int, path: str, walk: _Walk) -> str:
        if path.count("/") >= _DEPTH:
            return f"is more than {_DEPTH} directories deep"
        with _directory(path.rpartition("/")[2], within=folder) as inner:
            self._walk(inner, f"{path}/", walk)
        return ""

    def _take(self, folder: int, path: str, walk: _Walk, seen: os.stat_result) -> str:
        mark = _mark(seen)
        blob = self._known.get(mark)
        if blob is None:
            data, seen, mark = self._read_still(folder, path)
            blob = entries.blob_id(data)
        if max(mark[3], mark[4]) < self._now() - _SETTLED:
            walk.known[mark] = blob
        walk.files[path] = File(path, blob, bool(seen.st_mode & stat.S_IXUSR), seen.st_size)
        return ""

    def _read_still(self, folder: int, path: str) -> tuple[bytes, os.stat_result, Mark]:
        """The bytes of a file that did not change while they were read."""
        for _ in range(_ATTEMPTS):
            with _file(path.rpartition("/")[2], within=folder) as opened:
                before = os.fstat(opened)
                data = _read(opened, before.st_size)
                after = os.fstat(opened)
            if _mark(before) == _mark(after) and len(data) == after.st_size and stat.S_ISREG(after.st_mode):
                return data, after, _mark(after)
        raise SourceUnavailable(f"{self._root / path}: keeps changing while it is read; it is read again later")

    def _content(self, root: int, blob: str) -> bytes:
        for path in self._paths.get(blob, []):
            try:
                data = self._reach(root, path)
            except OSError:
                continue
            if entries.blob_id(data) == blob:
                return data
        paths = ", ".join(self._paths.get(blob, [])) or f"blob {blob}"
        raise SourceUnavailable(f"{self._root}: {paths} changed while reading; it is read again with the next revision")

    def _reach(self, folder: int, path: str) -> bytes:
        head, _, rest = path.partition("/")
        if not rest:
            return self._read_still(folder, head)[0]
        with _directory(head, within=folder) as inner:
            return self._reach(inner, rest)


@contextmanager
def _directory(name: str, *, within: int | None = None) -> Iterator[int]:
    """An open directory. Inside another it must not be a link; the root is the operator's word and may be one."""
    nofollow = 0 if within is None else os.O_NOFOLLOW
    opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | nofollow, dir_fd=within)
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _file(name: str, *, within: int) -> Iterator[int]:
    """An open file that is no link; O_NONBLOCK, since a pipe in its place would wait for ever."""
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    try:
        yield opened
    finally:
        os.close(opened)


def _read(opened: int, size: int) -> bytes:
    """Up to ``size`` bytes and one more, so that a file that grew is noticed and never read whole."""
    with open(opened, "rb", closefd=False) as stream:
        return stream.read(size + 1)


def _mark(seen: os.stat_result) -> Mark:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _identity(walk: _Walk) -> str:
    digest = hashlib.sha256()
    for path, file in sorted(walk.files.items()):
        digest.update(f"{path}\0{file.blob}\0{file.executable:d}\0".encode())
    for path, reason in sorted(walk.refused.items()):
        digest.update(f"{path}\0{reason}\0".encode())
    return f"dir-{digest.hexdigest()[:40]}"


def _by_blob(files: Mapping[str, File]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for path, file in files.items():
        paths.setdefault(file.blob, []).append(path)
    return paths

"""Hints that a source may have changed, from the kernel. Timers alone are enough; this only makes them early.

Directories are watched one by one, not recursively: recursion would follow symbolic links out of the source, and would
make a busy object store everybody's business.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

from reconciler.errors import SourceUnavailable

RETRY = 1.0
"""Seconds until a place that is not there is looked for again."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to watch: directories (the first is the root), and which changed paths matter."""

    directories: tuple[Path, ...]
    matters: Callable[[Path], bool]

    def identities(self) -> Mapping[Path, tuple[int, int]]:
        """Device and inode of each directory that is there, to notice that one was replaced."""
        return {path: seen for path in self.directories if (seen := _identity(path))}


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Watcher:
    """A thread that calls ``changed`` after changes in the scope, and once whenever it has begun to see them.

    ``scope`` is asked again when a directory comes or goes; while it raises, it is asked every ``RETRY`` seconds.
    """

    def __init__(self, scope: Callable[[], Scope], changed: Callable[[], None]) -> None:
        self._scope = scope
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when the thread has ended; may be called from ``changed`` itself."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch(self._scope())
            except (SourceUnavailable, OSError):
                self._stop.wait(RETRY)  # gone, or the kernel has no watches left: timers go on meanwhile

    def _watch(self, scope: Scope) -> None:
        armed = scope.identities()
        fresh = True
        for changes in watch(
            *scope.directories,
            watch_filter=None,
            debounce=50,
            step=20,
            stop_event=self._stop,
            rust_timeout=int(RETRY * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
        ):
            paths = [Path(path) for _, path in changes]
            if fresh or any(scope.matters(path) for path in paths):
                fresh = False
                self._changed()
            if _rearm(scope, armed, paths):
                return


def _rearm(scope: Scope, armed: Mapping[Path, tuple[int, int]], paths: Iterable[Path]) -> bool:
    """Whether other directories are to be watched now. The root is always looked at: nobody tells of it."""
    suspects = {path for path in paths if path in armed or (scope.matters(path) and _is_folder(path))}
    return any(_identity(path) != armed.get(path) for path in {scope.directories[0], *suspects})


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def refs_of(git_dir: Path, ref: str) -> Scope:
    """Where the reference of one branch is kept: loose, packed, or in a reftable."""
    branch = git_dir / ref
    chain = [parent for parent in branch.parents if git_dir in parent.parents]
    tables = git_dir / "reftable"
    exact = {branch, git_dir / "packed-refs", tables, *chain}
    present = [path for path in (*chain, tables) if path.is_dir()]
    return Scope((git_dir, *present), lambda path: path in exact or tables in path.parents)


def tree_of(root: Path) -> Scope:
    """Every directory below ``root``, without those named ``.git`` and without following links."""
    start = root.absolute()
    inside = [start]
    for folder, names, _ in os.walk(start, onerror=_raise, followlinks=False):
        names[:] = [name for name in names if name != ".git"]
        inside.extend(path for name in names if not (path := Path(folder, name)).is_symlink())
    return Scope(tuple(inside), lambda path: ".git" not in path.relative_to(start).parts)


def _raise(error: OSError) -> None:
    raise error

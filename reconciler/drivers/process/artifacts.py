"""What releases run from: read-only trees, named by their content, complete or not there at all."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from reconciler.desired.objects import Tree
from reconciler.drivers.process import durable
from reconciler.drivers.process.site import Site
from reconciler.errors import InvalidInput, SourceUnavailable
from reconciler.ports import BlobReader

BATCH = 200  # blobs in memory at a time
EXPORT, BUILD = ".export-", ".build-"


class Artifacts:
    """A tree is written under a hidden name and renamed; a build stays where it was made and gets a link."""

    def __init__(self, site: Site, blobs: BlobReader) -> None:
        self._site, self._blobs = site, blobs

    def names(self) -> frozenset[str]:
        """What is complete."""
        with os.scandir(self._site.layout.artifacts) as entries:
            return frozenset(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())

    def place(self, name: str) -> Path | None:
        """Where an artifact really is, links resolved; None while it is not there."""
        path = self._site.layout.artifact(name)
        return path.resolve() if path.is_dir() else None

    def export(self, name: str, tree: Tree) -> None:
        """Writes a tree whose every blob proves to be the one named. There already is success."""
        if self.place(name) is not None:
            return
        target = self._site.layout.artifact(name)
        aside = target.with_name(f"{EXPORT}{self._site.new_uid()}")
        self._site.step("export-tree:writing")
        try:
            self._fill(aside, tree)
            durable.sync_all_below(aside)
            self._site.step("export-tree:written")
            _publish(aside, target)
        except BaseException:
            durable.erase(aside)
            raise
        self._site.step("export-tree:exported")

    def detach(self, name: str) -> Path | None:
        """Takes the name away, then what it named: the answer is what is left to erase. Absent is None."""
        path = self._site.layout.artifact(name)
        if path.is_symlink():
            built = path.resolve()
            durable.unlink(path)
            self._site.step("remove-artifact:unlinked")
            path = built
        return durable.detach(path, self._site.layout.trash) if path.is_dir() else None

    def sweep(self, builds: set[str]) -> None:
        """Erases what a dead daemon left half made; ``builds`` are the places of builds that may still be running."""
        places = list(self._site.layout.artifacts.iterdir())
        kept = builds | {str(path.resolve()) for path in places if path.is_symlink()}
        for path in places:
            if path.name.startswith((EXPORT, BUILD)) and str(path.resolve()) not in kept:
                durable.erase(path)

    def _fill(self, root: Path, tree: Tree) -> None:
        root.mkdir(mode=0o755)
        for batch in _batches(tree.files):
            read = self._blobs.read(tree.source, sorted({blob for _, blob, _ in batch}))
            for path, blob, executable in batch:
                _write(root, checked_path(path), verified(read, blob), executable=executable)
        for folder, _, _ in os.walk(root, topdown=False):
            os.chmod(folder, 0o555)


def _batches(files: tuple[tuple[str, str, bool], ...]) -> Iterator[list[tuple[str, str, bool]]]:
    remaining = iter(files)
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch


def checked_path(path: str) -> PurePosixPath:
    """A path below a tree's root. Raises ``InvalidInput`` for one that leads elsewhere."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise InvalidInput(f"path {path!r}: does not lie in its tree")
    return PurePosixPath(path)


def verified(read: Mapping[str, bytes], blob: str) -> bytes:
    """A blob's bytes, proved by git's own digest of them (SHA-1, or SHA-256 where the id is as long)."""
    data = read.get(blob)
    if data is None:
        raise SourceUnavailable(f"blob {blob}: was not delivered")
    digest = hashlib.new("sha256" if len(blob) == 64 else "sha1", usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    if digest.hexdigest() != blob:
        raise SourceUnavailable(f"blob {blob}: has other content than its name says; check the repository")
    return data


def _write(root: Path, path: PurePosixPath, data: bytes, *, executable: bool) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o555 if executable else 0o444)


def _publish(aside: Path, target: Path) -> None:
    try:
        durable.move(aside, target)
    except OSError:
        if not target.is_dir():
            raise
        durable.erase(aside)  # another thread exported the same tree first

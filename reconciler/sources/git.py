"""A local git repository as a source: a branch and a folder in it, read from the object store, never from a work tree.

An unchanged branch costs one process, a new commit two, the bytes of any number of blobs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import SourceUnavailable
from reconciler.manifests.revision import File, Revision
from reconciler.sources import entries, references
from reconciler.sources.gitcommand import GitCommand, GitRunner, common_dir, find_git_dir
from reconciler.sources.watching import Watcher, refs_of

_FORMAT = "--format=%an%x00%ct%x00%s"
_MODES = {"100644": False, "100755": True}
_REASONS = {"120000": entries.SYMLINK, "160000": entries.SUBMODULE}


@dataclass(frozen=True, slots=True)
class _Commit:
    """The tip of the branch, as ``rev-list`` prints it."""

    id: str
    author: str
    committed_at: float
    subject: str


class GitSource:
    """Reads ``branch`` of the repository at ``repository``, below the folder ``path`` ("" is all of it).

    ``max_file`` is in bytes: larger files are refused. ``runner`` is how git is run; by default with a ``timeout`` in
    seconds for each call. Raises ``InvalidInput`` for a branch or path that cannot be one.
    """

    def __init__(
        self,
        name: str,
        *,
        repository: Path,
        branch: str,
        path: str = "",
        max_file: int = entries.FILE_LIMIT,
        timeout: float = 30.0,
        runner: GitRunner | None = None,
    ) -> None:
        self.name = name
        self._repository = repository
        self._branch = branch
        self._ref = references.branch_ref(branch)
        self._path = references.folder(path)
        self._max_file = max_file
        self._timeout = timeout
        self._runner = runner
        self._last: Revision | None = None
        self._sizes: dict[str, int] = {}
        self._watcher: Watcher | None = None

    def revision(self) -> Revision:
        """The branch's newest commit; the very same value while the branch stands still."""
        run = self._run()
        commit = self._tip(run)
        if self._last is None or self._last.id != commit.id:
            self._last = self._list(run, commit)
        return self._last

    def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of these blobs, each checked against its id."""
        wanted = references.blob_ids(blobs)
        if not wanted:
            return {}
        run = self._run()
        self._check_sizes(run, wanted)
        done = run(["cat-file", "--batch", "--buffer"], stdin="".join(f"{blob}\n" for blob in wanted).encode())
        found = dict(_contents(done.output))
        for blob in wanted:
            self._verify(blob, found.get(blob), done.error)
        return found

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls back when the branch's reference may have moved; the object store's business wakes nobody."""
        self._watcher = Watcher(lambda: refs_of(common_dir(find_git_dir(self._repository)), self._ref), changed)

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()

    def _run(self) -> GitRunner:
        git_dir = find_git_dir(self._repository)
        return self._runner or GitCommand(git_dir, timeout=self._timeout)

    def _tip(self, run: GitRunner) -> _Commit:
        commit = f"{self._ref}^{{commit}}"
        done = run(
            ["rev-list", "--no-walk", "--max-count=1", "--encoding=UTF-8", _FORMAT, "--end-of-options", commit, "--"]
        )
        if done.code:
            raise SourceUnavailable(self._why_no_tip(run, done.error))
        head, _, line = done.output.decode("utf-8", "replace").partition("\n")
        author, seconds, subject = line.rstrip("\n").split("\0", 2)
        return _Commit(head.removeprefix("commit "), author, float(seconds), subject)

    def _why_no_tip(self, run: GitRunner, error: str) -> str:
        there = run(["for-each-ref", "--count=20", "--format=%(refname:strip=2)", "--", "refs/heads"])
        branches = there.output.decode("utf-8", "replace").split()
        if self._branch in branches or there.code:
            return f"{self._repository}: branch {self._branch!r} cannot be read: {error}; see `git fsck`"
        if not branches:
            return f"{self._repository}: has no commits yet; commit to branch {self._branch!r}"
        others = ", ".join(branches)
        return f"{self._repository}: has no branch {self._branch!r}, but {others}; make it, or name one of these"

    def _list(self, run: GitRunner, commit: _Commit) -> Revision:
        scope = [self._path] if self._path else []
        done = run(["ls-tree", "-r", "-z", "-l", "--full-tree", commit.id, "--", *scope])
        if done.code:
            raise SourceUnavailable(
                f"{self._repository}: commit {commit.id} cannot be read: {done.error}; see `git fsck`"
            )
        files: dict[str, File] = {}
        refused: dict[str, str] = {}
        for path, entry in self._below(done.output, commit.id):
            reason = entry if isinstance(entry, str) else entries.too_large(entry.size, self._max_file)
            if reason:
                refused[entries.printable(path)] = reason
            elif isinstance(entry, File):
                files[path] = entry
        self._sizes = {file.blob: file.size for file in files.values()}
        return Revision(self.name, commit.id, files, refused, commit.author, commit.subject, commit.committed_at)

    def _below(self, listing: bytes, commit: str) -> Iterator[tuple[str, File | str]]:
        """The entries below the source's path, relative to it. A path that is not there is never an empty one."""
        prefix = f"{self._path}/" if self._path else ""
        listed = [_entry(line, prefix) for line in listing.split(b"\0") if line]
        inside = [entry for entry in listed if entry is not None]
        if prefix and not inside:
            what = "is not a folder" if listed else "has no folder"
            raise SourceUnavailable(
                f"{self._repository}: commit {commit[:12]} of {self._branch!r} {what} {self._path!r}; "
                "correct the path of the source, or commit the folder"
            )
        return iter(inside)

    def _check_sizes(self, run: GitRunner, wanted: list[str]) -> None:
        """Refuses to read what is too large into memory; only blobs of earlier revisions cost a process."""
        unknown = [blob for blob in wanted if blob not in self._sizes]
        sizes = self._sizes | (_sizes(run, unknown) if unknown else {})
        for blob in wanted:
            reason = entries.too_large(sizes.get(blob, 0), self._max_file)
            if reason:
                raise SourceUnavailable(f"{self._repository}: blob {blob} {reason}")

    def _verify(self, blob: str, data: bytes | None, error: str) -> None:
        if data is None:
            raise SourceUnavailable(
                f"{self._repository}: blob {blob} cannot be read: {error or 'missing'}; see `git fsck`"
            )
        if entries.blob_id(data, algorithm="sha1" if len(blob) == 40 else "sha256") != blob:
            raise SourceUnavailable(f"{self._repository}: blob {blob} is damaged; see `git fsck`")


def _entry(line: bytes, prefix: str) -> tuple[str, File | str] | None:
    """One line of ``ls-tree -l``: its path, and the file or why it is none. None outside of ``prefix``."""
    meta, _, raw = line.partition(b"\t")
    mode, _, blob, size = meta.decode("ascii").split()
    name = raw.decode("utf-8", "surrogateescape")
    if not name.startswith(prefix):
        return None
    path = name.removeprefix(prefix)
    reason = entries.unusable(path) or _REASONS.get(mode, "" if mode in _MODES else entries.NOT_REGULAR)
    if reason:
        return path, reason
    if not size.isdecimal():
        raise SourceUnavailable(f"blob {blob} of {path} is missing or damaged; see `git fsck`")
    return path, File(path, blob, _MODES[mode], int(size))


def _sizes(run: GitRunner, blobs: list[str]) -> dict[str, int]:
    done = run(["cat-file", "--batch-check", "--buffer"], stdin="".join(f"{blob}\n" for blob in blobs).encode())
    lines = (line.split() for line in done.output.decode("ascii", "replace").splitlines())
    return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[1] == "blob"}


def _contents(output: bytes) -> Iterator[tuple[str, bytes]]:
    """What ``cat-file --batch`` printed: a header, the bytes, a newline, for each blob that it could read."""
    at = 0
    while (end := output.find(b"\n", at)) >= 0:
        header = output[at:end].decode("ascii", "replace").split()
        at = end + 1
        if len(header) == 3 and header[2].isdecimal():
            size = int(header[2])
            yield header[0], output[at : at + size]
            at += size + 1

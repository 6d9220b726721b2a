from __future__ import annotations

import shutil
import threading

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.sources import watching
from reconciler.sources.directory import DirectorySource
from reconciler.sources.git import GitSource

pytestmark = pytest.mark.real

GUARD = 30.0


class Bell:
    """Counts calls, and lets a test wait for the next one."""

    def __init__(self):
        self.calls = 0
        self._rung = threading.Condition()

    def __call__(self):
        with self._rung:
            self.calls += 1
            self._rung.notify_all()

    def wait(self, more_than):
        with self._rung:
            assert self._rung.wait_for(lambda: self.calls > more_than, timeout=GUARD)
            return self.calls


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def watched(bell):
    """Watches a source once it is armed: the first call says so."""
    opened = []

    def begin(source):
        opened.append(source)
        source.watch(bell)
        bell.wait(0)
        return source

    yield begin
    for source in opened:
        source.close()


@pytest.fixture
def branch(repository, watched):
    repository.write("a.yaml", "one")
    repository.commit()
    watched(GitSource("root", repository=repository.path, branch="main"))
    return repository


class TestGit:
    def test_a_commit_rings(self, branch, bell):
        """A commit to the branch is noticed."""
        before = bell.calls
        branch.write("a.yaml", "two")
        branch.commit()
        bell.wait(before)

    def test_packed_references_ring(self, branch, bell):
        """Where references are packed, the file that holds them counts."""
        before = bell.calls
        branch.git("pack-refs", "--all", "--prune")
        bell.wait(before)

    def test_a_branch_in_a_folder_that_is_not_there_yet_rings(self, repository, watched, bell):
        """Folders that appear on the way to the reference are watched too."""
        repository.commit()
        watched(GitSource("root", repository=repository.path, branch="team/web/live"))
        before = bell.calls
        repository.git("branch", "team/web/live")
        before = bell.wait(before)
        repository.git("branch", "-f", "team/web/live", repository.commit())
        bell.wait(before)


class TestRefs:
    def test_objects_index_and_other_branches_do_not_matter(self, tmp_path):
        """Only the way to the branch, packed references and reftables wake anybody."""
        (tmp_path / "refs/heads").mkdir(parents=True)
        (tmp_path / "objects/ab").mkdir(parents=True)
        scope = watching.refs_of(tmp_path, "refs/heads/main")
        assert tmp_path / "objects" not in scope.directories
        quiet = ["objects/ab/cd", "index", "refs/heads/other", "refs/heads/main.lock", "COMMIT_EDITMSG", "logs/HEAD"]
        assert not any(scope.matters(tmp_path / path) for path in quiet)
        loud = ["refs/heads/main", "packed-refs", "reftable/0x01.ref", "refs/heads"]
        assert all(scope.matters(tmp_path / path) for path in loud)


class TestDirectory:
    def test_changes_ring_at_any_depth(self, tmp_path, watched, bell):
        """Also in folders that were made after the watch began."""
        watched(DirectorySource("here", root=tmp_path))
        before = bell.calls
        (tmp_path / "new").mkdir()
        before = bell.wait(before)
        (tmp_path / "new/a.yaml").write_text("x")
        bell.wait(before)

    def test_does_not_follow_links_or_git(self, tmp_path):
        """A link out of the source would watch somebody else's files."""
        (tmp_path / "root/.git/objects").mkdir(parents=True)
        (tmp_path / "root/app").mkdir()
        (tmp_path / "root/link").symlink_to("/usr")
        scope = watching.tree_of(tmp_path / "root")
        assert scope.directories == (tmp_path / "root", tmp_path / "root/app")
        assert not scope.matters(tmp_path / "root/.git")

    def test_survives_a_root_that_goes_and_comes(self, tmp_path, watched, bell):
        """After the directory is back, changes ring again."""
        root = tmp_path / "root"
        root.mkdir()
        watched(DirectorySource("here", root=root))
        before = bell.calls
        shutil.rmtree(root)
        root.mkdir()
        (root / "a").write_text("x")
        bell.wait(before)

    def test_a_root_that_is_not_there_yet_is_awaited(self, tmp_path, bell):
        """The watch begins when there is something to watch."""
        source = DirectorySource("here", root=tmp_path / "later")
        source.watch(bell)
        (tmp_path / "later").mkdir()
        bell.wait(0)
        source.close()


def test_close_ends_the_thread(tmp_path):
    """No thread is left behind, also while the place is missing."""

    def nowhere():
        raise SourceUnavailable("gone")

    for scope in (nowhere, lambda: watching.tree_of(tmp_path)):
        watcher = watching.Watcher(scope, lambda: None)
        watcher.close()
        assert not watcher._thread.is_alive()

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput, SourceUnavailable
from reconciler.sources import entries
from reconciler.sources.git import GitSource

pytestmark = pytest.mark.real


def source(made, **options):
    return GitSource("root", **({"repository": made.path, "branch": "main"} | options))


class TestRevision:
    def test_is_the_commit_and_its_files_below_the_path(self, repository):
        """Paths are relative to the source's path; blob, executable bit and size are git's."""
        repository.write("deploy/app/run.sh", "#!/bin/sh\n").chmod(0o755)
        repository.write("other.yaml", "x")
        commit = repository.commit("Say hello")
        revision = source(repository, path="/deploy/".strip("/")).revision()
        assert revision.id == commit
        assert (revision.author, revision.subject) == ("Ada", "Say hello")
        assert revision.committed_at > 1_600_000_000
        file = revision.files["app/run.sh"]
        assert list(revision.files) == ["app/run.sh"]
        assert (file.blob, file.executable, file.size) == (entries.blob_id(b"#!/bin/sh\n"), True, 10)

    def test_never_looks_at_the_work_tree(self, repository):
        """What is not committed is not there."""
        repository.write("a.yaml", "one")
        repository.commit()
        repository.write("a.yaml", "two")
        repository.write("b.yaml", "new")
        git = source(repository)
        blob = git.revision().files["a.yaml"].blob
        assert git.read([blob]) == {blob: b"one"}
        assert list(git.revision().files) == ["a.yaml"]

    def test_reads_a_bare_repository(self, repository, tmp_path):
        """A repository without a work tree is as good."""
        repository.write("a.yaml", "one")
        commit = repository.commit()
        repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
        assert source(repository, repository=tmp_path / "bare.git").revision().id == commit

    def test_reads_a_linked_work_tree(self, repository, tmp_path):
        """A ``.git`` file leads to the repository it belongs to."""
        repository.write("a.yaml", "one")
        commit = repository.commit()
        repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
        assert source(repository, repository=tmp_path / "linked", branch="side").revision().id == commit

    def test_an_unchanged_branch_costs_one_process(self, repository, counting):
        """A poll is one process and the same value; a new commit is one more; reading any number of blobs is one."""
        repository.write("a.yaml", "one")
        repository.write("b.yaml", "two")
        repository.commit()
        git = source(repository, runner=counting)
        first = git.revision()
        assert counting.verbs == ["rev-list", "ls-tree"]
        assert git.revision() is first
        assert counting.verbs == ["rev-list", "ls-tree", "rev-list"]
        git.read(file.blob for file in first.files.values())
        assert counting.verbs[3:] == ["cat-file"]
        assert git.read([]) == {}
        assert len(counting.verbs) == 4

    def test_refuses_links_and_submodules(self, repository):
        """Entries that lead elsewhere are named with a reason, and are no files."""
        repository.write("a.yaml", "one")
        (repository.path / "link.yaml").symlink_to("/etc/passwd")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
        repository.commit()
        revision = source(repository).revision()
        assert list(revision.files) == ["a.yaml"]
        assert revision.refused["link.yaml"] == entries.SYMLINK
        assert "module" not in revision.files

    def test_refuses_a_submodule_by_its_mode(self, repository):
        """A gitlink stands for another repository's commit."""
        repository.write("a.yaml", "one")
        repository.git("add", "-A")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
        repository.git("commit", "-q", "-m", "module")
        assert source(repository).revision().refused == {"module": entries.SUBMODULE}

    @pytest.mark.parametrize("name", [b"..", b".git", b".GIT"])
    def test_refuses_names_that_lead_elsewhere(self, repository, name):
        """A hand-made tree with such a name is not followed."""
        blob = repository.git("hash-object", "-w", "--stdin", stdin=b"evil")
        inner = bytes.fromhex(repository.git("mktree", stdin=f"100644 blob {blob}\tx\n".encode()))
        raw = b"40000 " + name + b"\0" + inner
        tree = repository.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)
        repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "evil"))
        revision = source(repository).revision()
        assert revision.files == {}
        assert list(revision.refused) == [f"{name.decode()}/x"]

    def test_refuses_names_nobody_can_show(self, repository):
        """Control characters and bytes that are no UTF-8 are shown as escapes."""
        for raw in (b"a\nb", b"caf\xe9"):
            Path(os.fsdecode(os.fsencode(repository.path) + b"/" + raw)).write_text("x")
        repository.commit()
        assert sorted(source(repository).revision().refused) == ["a\\nb", "caf\\xe9"]

    def test_refuses_large_files_without_reading_them(self, repository):
        """A file over the limit is named with its size; the others are read."""
        repository.write("big.yaml", b"x" * 2000)
        repository.write("small.yaml", b"x")
        repository.commit()
        revision = source(repository, max_file=1000).revision()
        assert list(revision.files) == ["small.yaml"]
        assert revision.refused == {"big.yaml": "has 2000 bytes, more than the 1000 allowed"}

    def test_follows_a_branch_that_was_rewritten(self, repository):
        """The tip counts, whatever came before."""
        repository.write("a.yaml", "one")
        repository.commit()
        git = source(repository)
        git.revision()
        repository.write("a.yaml", "two")
        repository.git("add", "-A")
        repository.git("commit", "-q", "--amend", "-m", "other")
        assert git.revision().id == repository.git("rev-parse", "HEAD")

    @pytest.mark.parametrize("branch", ["$(touch marker)", "`touch marker`", "a;touch marker"])
    def test_hostile_but_legal_branches_are_literal(self, repository, branch):
        """No shell reads a branch's name."""
        legal = branch.replace(" ", "$IFS")
        repository.write("a.yaml", "one")
        commit = repository.commit()
        repository.git("update-ref", f"refs/heads/{legal}", commit)
        assert source(repository, branch=legal).revision().id == commit
        assert not list(repository.path.glob("marker*"))

    def test_an_empty_commit_is_an_empty_revision(self, repository):
        """All of a repository may be empty: that is for the guards downstream."""
        repository.commit()
        assert source(repository).revision().files == {}

    def test_is_what_was_committed(self, repository):
        """A replacement that git would show in an object's place does not stand in for it."""
        repository.write("a.yaml", "one")
        repository.commit()
        git = source(repository)
        blob = git.revision().files["a.yaml"].blob
        repository.git("replace", blob, repository.git("hash-object", "-w", "--stdin", stdin=b"two"))
        assert git.read([blob]) == {blob: b"one"}


class TestUnavailable:
    def test_names_a_missing_repository(self, tmp_path):
        """Nothing there is not an empty source."""
        with pytest.raises(SourceUnavailable, match="gone: is not there"):
            GitSource("root", repository=tmp_path / "gone", branch="main").revision()

    def test_does_not_look_in_parent_directories(self, repository):
        """A plain folder inside a repository is no repository."""
        repository.write("inner/a.yaml", "x")
        repository.commit()
        with pytest.raises(SourceUnavailable, match="is not a git repository"):
            source(repository, repository=repository.path / "inner").revision()

    def test_names_a_repository_without_commits(self, repository):
        """The next step is a commit."""
        with pytest.raises(SourceUnavailable, match="has no commits yet; commit to branch 'main'"):
            source(repository).revision()

    def test_names_a_missing_branch_and_those_there_are(self, repository):
        """A deleted branch is told from an empty one."""
        repository.commit()
        with pytest.raises(SourceUnavailable, match="has no branch 'prod', but main;"):
            source(repository, branch="prod").revision()

    def test_a_tag_is_no_branch(self, repository):
        """Only refs/heads is looked at."""
        repository.commit()
        repository.git("tag", "v1")
        with pytest.raises(SourceUnavailable, match="has no branch 'v1'"):
            source(repository, branch="v1").revision()

    def test_a_vanished_path_is_not_an_empty_one(self, repository):
        """A path that the commit does not have would otherwise look as if everything was deleted."""
        repository.write("other/a.yaml", "x")
        repository.commit()
        with pytest.raises(SourceUnavailable, match="has no folder 'deploy'"):
            source(repository, path="deploy").revision()

    def test_a_file_is_no_folder(self, repository):
        """The path of a source is a folder."""
        repository.write("deploy", "x")
        repository.commit()
        with pytest.raises(SourceUnavailable, match="is not a folder 'deploy'"):
            source(repository, path="deploy").revision()

    def test_a_path_is_literal(self, repository):
        """No pattern is expanded in a path."""
        repository.write("deploy/a.yaml", "x")
        repository.commit()
        with pytest.raises(SourceUnavailable, match="has no folder"):
            source(repository, path="dep*").revision()

    def test_a_path_is_not_reached_through_a_link(self, repository):
        """A folder behind a symbolic link is not there."""
        repository.write("real/a.yaml", "x")
        (repository.path / "link").symlink_to("real")
        repository.commit()
        with pytest.raises(SourceUnavailable, match="'link'"):
            source(repository, path="link").revision()

    def test_a_damaged_object_is_not_handed_out(self, repository):
        """Bytes that do not have the id that was asked for are never returned."""
        repository.write("a.yaml", "one")
        repository.commit()
        git = source(repository)
        blob = git.revision().files["a.yaml"].blob
        stored = repository.path / ".git/objects" / blob[:2] / blob[2:]
        other = repository.git("hash-object", "-w", "--stdin", stdin=b"two")
        stored.chmod(0o644)
        shutil.copy(repository.path / ".git/objects" / other[:2] / other[2:], stored)
        with pytest.raises(SourceUnavailable, match="git fsck"):
            git.read([blob])

    @pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
    def test_a_lost_object_makes_the_source_unavailable(self, repository, kind):
        """Whatever object is gone, no revision is made up from the rest."""
        repository.write("a.yaml", "one")
        commit = repository.commit()
        lost = {"commit": commit, "tree": f"{commit}^{{tree}}", "blob": f"{commit}:a.yaml"}[kind]
        found = repository.git("rev-parse", lost)
        (repository.path / ".git/objects" / found[:2] / found[2:]).unlink()
        with pytest.raises(SourceUnavailable, match="git fsck"):
            source(repository).revision()

    def test_a_lost_blob_is_named(self, repository):
        """What was asked for and is not there any more is an error, never a gap."""
        repository.write("a.yaml", "one")
        repository.commit()
        git = source(repository)
        git.revision()
        with pytest.raises(SourceUnavailable, match="1" * 40):
            git.read(["1" * 40])

    def test_a_large_blob_is_not_read(self, repository):
        """Also a blob that no revision listed is measured before it is read into memory."""
        repository.write("a.yaml", "one")
        repository.commit()
        big = repository.git("hash-object", "-w", "--stdin", stdin=b"x" * 2000)
        with pytest.raises(SourceUnavailable, match="2000 bytes"):
            source(repository, max_file=1000).read([big])


class TestInvalid:
    @pytest.mark.parametrize(
        "branch",
        ["", "-x", "--upload-pack=x", "a..b", "a@{1}", "@", "a b", "a\nb", "a\x7f", "a~1", "a^", "a:b", "a?", "a*",
         "a[",
         "a\\b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a."],
    )  # fmt: skip
    def test_branch(self, branch):
        """What git forbids in a branch's name, or could read as something else, is refused with the value."""
        with pytest.raises(InvalidInput, match="is not a name of a branch"):
            GitSource("root", repository=Path("/nowhere"), branch=branch)

    @pytest.mark.parametrize("path", ["/etc", "..", "a/../../b", "a\0b"])
    def test_path(self, path):
        """A path stays inside of the source."""
        with pytest.raises(InvalidInput, match="leads out of the source"):
            GitSource("root", repository=Path("/nowhere"), branch="main", path=path)

    @pytest.mark.parametrize("blob", ["HEAD", "main:a.yaml", "--batch-all-objects", "1" * 39, "1" * 40 + "\n"])
    def test_blob(self, repository, blob):
        """Git would look a name up; only ids are asked for."""
        repository.commit()
        with pytest.raises(InvalidInput, match="is not an object id"):
            source(repository).read([blob])

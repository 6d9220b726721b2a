from __future__ import annotations

import os
import time

import pytest

from reconciler.errors import InvalidInput, SourceUnavailable
from reconciler.sources import directory, entries
from reconciler.sources.directory import DirectorySource


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def reads(monkeypatch):
    """The sizes of all that is read."""
    seen: list[int] = []
    plain = directory._read

    def noted(opened, size):
        seen.append(size)
        return plain(opened, size)

    monkeypatch.setattr(directory, "_read", noted)
    return seen


def later():
    """A clock by which every file is long settled."""
    return time.time_ns() + 10**12


class TestRevision:
    def test_has_gits_blob_ids(self, root):
        """A file has the id that git would give it, its executable bit and its size."""
        (root / "app").mkdir()
        (root / "app/run.sh").write_text("hi\n")
        (root / "app/run.sh").chmod(0o700)
        file = DirectorySource("here", root=root).revision().files["app/run.sh"]
        assert (file.blob, file.executable, file.size) == ("45b983be36b73c0788dc9cbcb76cbb80fc7bb057", True, 3)

    def test_its_id_is_that_of_its_content(self, root):
        """Same files, same id and same value; another byte, name or mode is another id."""
        (root / "a").write_text("1")
        source = DirectorySource("here", root=root)
        first = source.revision()
        assert first.id.startswith("dir-")
        assert source.revision() is first
        seen = {first.id}
        (root / "a").write_text("2")
        seen.add(source.revision().id)
        (root / "a").chmod(0o755)
        seen.add(source.revision().id)
        (root / "a").rename(root / "b")
        seen.add(source.revision().id)
        assert len(seen) == 4

    def test_reads_only_what_changed(self, root, reads):
        """A settled file is known by its times, and not read again."""
        (root / "a").write_text("1")
        (root / "b").write_text("22")
        source = DirectorySource("here", root=root, now=later)
        source.revision()
        source.revision()
        assert reads == [1, 2]
        (root / "b").write_text("333")
        source.revision()
        assert reads == [1, 2, 3]

    def test_does_not_trust_the_times_of_a_file_just_written(self, root, reads):
        """Within the clock's tick a file can change without showing it, so it is read again."""
        (root / "a").write_text("1")
        source = DirectorySource("here", root=root)
        source.revision()
        source.revision()
        assert reads == [1, 1]

    def test_skips_git_directories(self, root):
        """What git keeps for itself is not part of the source."""
        (root / "app/.git").mkdir(parents=True)
        (root / "app/.git/config").write_text("x")
        (root / "app/a").write_text("x")
        assert list(DirectorySource("here", root=root).revision().files) == ["app/a"]

    def test_refuses_what_is_no_regular_file(self, root):
        """Links to files, to directories and to nothing, and pipes are named with a reason and never opened."""
        (root / "file").symlink_to("/etc/passwd")
        (root / "folder").symlink_to("/etc")
        (root / "nothing").symlink_to("gone")
        os.mkfifo(root / "pipe")
        revision = DirectorySource("here", root=root).revision()
        assert revision.files == {}
        assert revision.refused == {
            "file": entries.SYMLINK,
            "folder": entries.SYMLINK,
            "nothing": entries.SYMLINK,
            "pipe": entries.NOT_REGULAR,
        }

    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_is_not_tricked_by_a_swap(self, root, tmp_path, monkeypatch, kind):
        """What becomes a link between the look and the opening is refused all the same."""
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret").write_text("x")
        victim = root / "victim"
        victim.mkdir() if kind == "folder" else victim.write_text("x")
        plain = os.stat

        def look_then_swap(path, **options):
            seen = plain(path, **options)
            if path == "victim" and not victim.is_symlink():
                victim.rmdir() if kind == "folder" else victim.unlink()
                victim.symlink_to(outside if kind == "folder" else outside / "secret")
            return seen

        monkeypatch.setattr(os, "stat", look_then_swap)
        revision = DirectorySource("here", root=root).revision()
        assert revision.files == {}
        assert revision.refused == {"victim": entries.SYMLINK}

    def test_refuses_large_files(self, root, reads):
        """A file over the limit is not read at all."""
        (root / "big").write_bytes(b"x" * 2000)
        revision = DirectorySource("here", root=root, max_file=1000).revision()
        assert revision.refused == {"big": "has 2000 bytes, more than the 1000 allowed"}
        assert reads == []

    def test_refuses_what_is_too_deep(self, root):
        """Endless nesting ends with a reason."""
        deep = root.joinpath(*["d"] * 70)
        deep.mkdir(parents=True)
        (deep / "a").write_text("x")
        assert list(DirectorySource("here", root=root).revision().refused) == ["/".join(["d"] * 65)]

    def test_reads_again_what_changes_meanwhile(self, root, monkeypatch):
        """A file that was written during the first reading is read once more, and that is what counts."""
        (root / "a").write_text("first")
        plain = directory._read
        calls: list[int] = []

        def interrupted(opened, size):
            data = plain(opened, size)
            if not calls:
                (root / "a").write_text("second!")
            calls.append(size)
            return data

        monkeypatch.setattr(directory, "_read", interrupted)
        file = DirectorySource("here", root=root).revision().files["a"]
        assert file.blob == entries.blob_id(b"second!")
        assert len(calls) == 2

    def test_gives_up_on_what_never_stands_still(self, root, monkeypatch):
        """A file that grows at each reading makes the source unavailable, not wrong."""
        (root / "a").write_text("x")
        plain = directory._read

        def growing(opened, size):
            with (root / "a").open("a") as stream:
                stream.write("x")
            return plain(opened, size)

        monkeypatch.setattr(directory, "_read", growing)
        with pytest.raises(SourceUnavailable, match="a: keeps changing while it is read"):
            DirectorySource("here", root=root).revision()

    @pytest.mark.parametrize("kind", ["missing", "file"])
    def test_a_missing_root_is_not_an_empty_one(self, root, kind):
        """Where there is no directory there is no revision."""
        place = root / "gone"
        if kind == "file":
            place.write_text("x")
        with pytest.raises(SourceUnavailable, match="gone: cannot be read"):
            DirectorySource("here", root=place).revision()

    def test_an_unreadable_file_is_not_an_absent_one(self, root, monkeypatch):
        """A file that we may not read makes the source unavailable, with its path."""
        (root / "app").mkdir()
        (root / "app/a").write_text("x")
        plain = os.open

        def forbidding(path, *arguments, **options):
            if path == "a":
                raise PermissionError(13, "Permission denied", path)
            return plain(path, *arguments, **options)

        monkeypatch.setattr(os, "open", forbidding)
        with pytest.raises(SourceUnavailable, match="app/a: cannot be read: Permission denied"):
            DirectorySource("here", root=root).revision()


class TestRead:
    def test_gives_the_bytes(self, root):
        """A blob that several files have is read from whichever still has it."""
        (root / "a").write_text("same")
        (root / "b").write_text("same")
        source = DirectorySource("here", root=root)
        blob = source.revision().files["a"].blob
        (root / "a").unlink()
        assert source.read([blob]) == {blob: b"same"}

    def test_refuses_what_changed_since(self, root):
        """Other bytes under the same path are not what was asked for."""
        (root / "a").write_text("one")
        source = DirectorySource("here", root=root)
        blob = source.revision().files["a"].blob
        (root / "a").write_text("two")
        with pytest.raises(SourceUnavailable, match="a changed while reading"):
            source.read([blob])

    def test_does_not_follow_a_folder_that_became_a_link(self, root, tmp_path):
        """The way to a file is walked without links, even where the same bytes are behind one."""
        (root / "app").mkdir()
        (root / "app/a").write_text("one")
        source = DirectorySource("here", root=root)
        blob = source.revision().files["app/a"].blob
        (root / "app").rename(tmp_path / "moved")
        (root / "app").symlink_to(tmp_path / "moved")
        with pytest.raises(SourceUnavailable, match="app/a changed while reading"):
            source.read([blob])

    def test_names_a_blob_that_was_never_there(self, root):
        """An unknown id is an error, never a gap."""
        with pytest.raises(SourceUnavailable, match="1" * 40):
            DirectorySource("here", root=root).read(["1" * 40])

    def test_asks_for_ids(self, root):
        """A path is not an id."""
        with pytest.raises(InvalidInput, match="is not an object id"):
            DirectorySource("here", root=root).read(["../a"])

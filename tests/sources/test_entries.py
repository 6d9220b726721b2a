from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.sources import entries


def test_knows_an_lfs_pointer():
    """A pointer begins with its specification and is short; a file that merely tells of it is none."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
    assert entries.is_lfs_pointer(pointer)
    assert not entries.is_lfs_pointer(b"# " + pointer)
    assert not entries.is_lfs_pointer(pointer + b"x" * 2000)
    assert not entries.is_lfs_pointer(b"")


@given(st.lists(st.sampled_from(["a", "..", ".", "", ".git", ".Git", "b.yaml", "\n", "\udce9"]), min_size=1))
def test_only_plain_names_are_usable(parts):
    """One bad part spoils a path, wherever it stands."""
    bad = {"..", ".", "", ".git", ".Git", "\n", "\udce9"}
    assert bool(entries.unusable("/".join(parts))) == any(part in bad for part in parts)


@given(st.binary())
def test_what_is_printed_can_be_stored_and_shown(raw):
    """Any file name becomes a text of UTF-8 without control characters."""
    shown = entries.printable(raw.decode("utf-8", "surrogateescape"))
    shown.encode()
    assert "\n" not in shown
    assert "\x1b" not in shown

from __future__ import annotations

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.sources.blobs import Blobs


class Given:
    """A source that has what it was given."""

    name = "root"

    def __init__(self, **contents):
        self._contents = contents

    def revision(self):
        raise NotImplementedError

    def read(self, blobs):
        return self._contents

    def watch(self, changed):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError


def test_asks_the_named_source():
    """Each source answers for its own blobs, and only what was asked for comes back."""
    blobs = Blobs({"root": Given(a=b"1", b=b"2"), "apps": Given(a=b"3")})
    assert blobs.read("root", iter(["a"])) == {"a": b"1"}
    assert blobs.read("apps", ["a"]) == {"a": b"3"}


def test_never_returns_less():
    """A source that forgets a blob is unavailable."""
    with pytest.raises(SourceUnavailable, match="'root': has no blob b"):
        Blobs({"root": Given(a=b"1")}).read("root", ["a", "b"])


def test_names_the_sources_there_are():
    """A source that is gone is an error with a next step."""
    with pytest.raises(SourceUnavailable, match="'gone': is not configured; known are root"):
        Blobs({"root": Given()}).read("gone", [])

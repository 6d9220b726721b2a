from __future__ import annotations

import hashlib
import hmac
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.objects import SecretRef
from reconciler.errors import InvalidInput, SecretUnavailable
from reconciler.secrets import digests
from reconciler.secrets.digests import DigestKey, Digests, generate_key_file, read_keys
from reconciler.secrets.masked import Masked

texts = st.text(alphabet="ab:\0", max_size=4)


@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_tell_provider_location_and_value_apart(one, other):
    """No two triples share a digest, wherever their parts end."""
    made = Digests([DigestKey("k", Masked(b"k" * 32))])
    first, second = (made.of(SecretRef(p, q), Masked(v.encode())) for p, q, v in (one, other))
    assert (first == second) == (one == other)


def test_are_hmacs():
    """HMAC-SHA256 under the key, over each part with its length before it."""
    key = b"k" * 32
    message = b"".join(len(part).to_bytes(8, "big") + part for part in (b"file", b"a", b"v"))
    expected = hmac.new(key, message, hashlib.sha256).hexdigest()
    assert Digests([DigestKey("k", Masked(key))]).of(SecretRef("file", "a"), Masked(b"v")) == (f"k:{expected}",)


class TestKeyFiles:
    def test_are_made_for_their_owner_alone(self, tmp_path, monkeypatch):
        """The mode is right before anything is written, whatever the umask."""
        modes = []
        plain = os.fdopen

        def noting(opened, *arguments, **options):
            modes.append(stat.S_IMODE(os.fstat(opened).st_mode))
            return plain(opened, *arguments, **options)

        monkeypatch.setattr(os, "fdopen", noting)
        before = os.umask(0)
        try:
            generate_key_file(tmp_path / "key")
        finally:
            os.umask(before)
        assert modes == [0o600]
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [tmp_path / "key"]
        (key,) = read_keys([("k1", tmp_path / "key")])
        assert len(key.key.reveal()) == 32

    def test_are_all_different(self, tmp_path):
        """Keys are random."""
        generate_key_file(tmp_path / "a")
        generate_key_file(tmp_path / "b")
        assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()

    def test_are_never_replaced(self, tmp_path):
        """What is there stays, and nothing is left beside it."""
        (tmp_path / "key").write_text("mine")
        with pytest.raises(InvalidInput, match="key: is there already"):
            generate_key_file(tmp_path / "key")
        assert (tmp_path / "key").read_text() == "mine"
        assert list(tmp_path.iterdir()) == [tmp_path / "key"]

    def test_need_a_directory(self, tmp_path):
        """A place that is not there is named."""
        with pytest.raises(InvalidInput, match="gone/key: cannot be made"):
            generate_key_file(tmp_path / "gone/key")

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    def test_others_can_read_are_refused(self, tmp_path, mode):
        """A key that others know proves nothing; the message says what to do."""
        generate_key_file(tmp_path / "key")
        (tmp_path / "key").chmod(mode)
        with pytest.raises(SecretUnavailable, match="chmod 600"):
            read_keys([("k1", tmp_path / "key")])

    @pytest.mark.parametrize("content", ["", "ab" * 31, "zz" * 32, "\0" * 64])
    def test_that_are_none_are_refused(self, tmp_path, content):
        """Too short or no hex; the content is not shown."""
        place = tmp_path / "key"
        place.touch(mode=0o600)
        place.write_text(content)
        with pytest.raises(SecretUnavailable, match="is not 64 hex digits") as caught:
            read_keys([("k1", place)])
        assert not content or content not in str(caught.value)

    def test_missing_are_named(self, tmp_path):
        """The path is in the message."""
        with pytest.raises(SecretUnavailable, match="gone: the digest key cannot be read"):
            read_keys([("k1", tmp_path / "gone")])

    def test_have_distinct_plain_ids(self, tmp_path):
        """An id stands before every digest, so it is simple and stands for one key."""
        generate_key_file(tmp_path / "key")
        with pytest.raises(InvalidInput, match="'k1' stands there twice"):
            read_keys([("k1", tmp_path / "key"), ("k1", tmp_path / "key")])
        for name in ("", "a:b", "K", "a b", "-a"):
            with pytest.raises(InvalidInput, match="digestKeys: the id"):
                read_keys([(name, tmp_path / "key")])

    def test_keep_their_order(self, tmp_path):
        """The newest comes first, as the settings have it."""
        for name in ("b", "a"):
            generate_key_file(tmp_path / name)
        assert [key.id for key in read_keys([("b", tmp_path / "b"), ("a", tmp_path / "a")])] == ["b", "a"]
        assert digests.KEY_BYTES == 32

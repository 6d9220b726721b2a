from __future__ import annotations

import os
from typing import Any

import pytest

from reconciler import ports
from reconciler.desired.objects import SecretRef
from reconciler.errors import SecretUnavailable
from reconciler.secrets.digests import DigestKey
from reconciler.secrets.masked import Masked
from reconciler.secrets.redact import Redactor
from reconciler.secrets.resolver import Secrets

KEY = DigestKey("k1", Masked(b"1" * 32))
NEWER = DigestKey("k2", Masked(b"2" * 32))


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "allowed"
    (made / "db").mkdir(parents=True)
    (made / "db/password").write_bytes(b"hunter2\n")
    return made


def secrets(*roots, **options):
    given: dict[str, Any] = {"redactor": Redactor(), "roots": roots, "environ": {}}
    return Secrets(**(given | options))


def file(location):
    return SecretRef("file", str(location))


class TestFiles:
    def test_are_read_below_the_roots(self, root):
        """Absolute or relative, in the order of the roots; one line end is not part of the value."""
        resolver: ports.SecretResolver = secrets(root)
        assert resolver.resolve(file(root / "db/password")).reveal() == b"hunter2"
        assert resolver.resolve(file("db/password")).reveal() == b"hunter2"
        assert resolver.resolve(file("./db/password")).reveal() == b"hunter2"

    @pytest.mark.parametrize(
        ("written", "value"),
        [(b"x\n", b"x"), (b"x\r\n", b"x"), (b"x\n\n", b"x\n"), (b"x", b"x"), (b"x\r", b"x\r"), (b" x ", b" x "),
         (b"", b""), (b"\xff\0", b"\xff\0")],
    )  # fmt: skip
    def test_lose_one_line_end(self, root, written, value):
        """Nothing else of a value is touched."""
        (root / "x").write_bytes(written)
        assert secrets(root).resolve(file("x")).reveal() == value

    def test_are_looked_up_in_the_order_of_the_roots(self, root, tmp_path):
        """The first root that has a relative location answers."""
        (tmp_path / "second/db").mkdir(parents=True)
        (tmp_path / "second/db/password").write_text("other")
        (tmp_path / "second/more").write_text("more")
        resolver = secrets(root, tmp_path / "second")
        assert resolver.resolve(file("db/password")).reveal() == b"hunter2"
        assert resolver.resolve(file("more")).reveal() == b"more"

    def test_every_refusal_reads_alike(self, root, tmp_path):
        """Missing, outside, behind links, directories, pipes: nobody can tell which, and nothing hangs."""
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret").write_text("canary")
        (root / "link").symlink_to(outside / "secret")
        (root / "inner").symlink_to(root / "db")
        (root / "folder").symlink_to(outside)
        os.mkfifo(root / "pipe")
        (tmp_path / "allowed-too").write_text("canary")
        locations = [
            "missing", "db/missing", "missing/password", "link", "inner/password", "folder/secret", "pipe", "db", "",
            "/", ".", "..", "../outside/secret", "db/../../outside/secret", "db/../db/password", "db//password",
            outside / "secret", "/etc/passwd", f"{root}/../outside/secret", f"{root}-too", root, f"{root}/",
            "a\0b", "db/password/", "x" * 5000,
        ]  # fmt: skip
        resolver = secrets(root)
        for location in map(str, locations):
            with pytest.raises(SecretUnavailable) as caught:
                resolver.resolve(file(location))
            expected = f"is not a readable file, free of links, below an allowed directory ({root}); put it there"
            assert str(caught.value) == f"file:{location}: {expected}"

    def test_a_root_may_be_a_link(self, root, tmp_path):
        """Where the operator keeps secrets is the operator's word."""
        (tmp_path / "alias").symlink_to(root)
        assert secrets(tmp_path / "alias").resolve(file("db/password")).reveal() == b"hunter2"

    def test_are_small(self, root):
        """64 KiB are enough for every secret."""
        (root / "limit").write_bytes(b"x" * 65536)
        (root / "big").write_bytes(b"x" * 65537)
        assert len(secrets(root).resolve(file("limit")).reveal()) == 65536
        with pytest.raises(SecretUnavailable, match="more than 65536 bytes"):
            secrets(root).resolve(file("big"))

    def test_without_a_root_there_are_none(self, root):
        """Nothing is allowed until the settings say so, and the message says that."""
        with pytest.raises(SecretUnavailable, match="none: name one in the settings"):
            secrets().resolve(file(root / "db/password"))


class TestVariables:
    def test_are_read_with_the_prefix(self):
        """The bytes of the environment, whatever they are."""
        resolver = secrets(env_prefix="APP_", environ={"APP_X": "caf\udce9"})
        assert resolver.resolve(SecretRef("env", "APP_X")).reveal() == b"caf\xe9"

    def test_every_refusal_reads_alike(self):
        """Unset or forbidden: nobody can tell."""
        resolver = secrets(env_prefix="APP_", environ={"HOME": "canary", "app_x": "canary", "APP_X=": "canary"})
        for name in ("APP_Y", "HOME", "app_x", "APP_X=", "", "APP_\n"):
            with pytest.raises(SecretUnavailable) as caught:
                resolver.resolve(SecretRef("env", name))
            assert str(caught.value) == f"env:{name}: is not a variable of the daemon that begins with APP_; set it"

    def test_without_a_prefix_there_are_none(self):
        """An empty prefix allows nothing rather than everything."""
        with pytest.raises(SecretUnavailable, match="name a prefix in the settings"):
            secrets(environ={"X": "canary"}).resolve(SecretRef("env", "X"))


@pytest.mark.parametrize("provider", ["sops", "sealed", "kubernetes"])
def test_later_providers_say_so(provider):
    """What this version cannot do is said, and never guessed."""
    with pytest.raises(SecretUnavailable, match="not supported by this version yet"):
        secrets().resolve(SecretRef(provider, "x"))


def test_an_unknown_provider_is_named():
    """A typo is told from what is to come."""
    with pytest.raises(SecretUnavailable, match="no provider 'fiel'"):
        secrets().resolve(SecretRef("fiel", "x"))


def test_what_was_resolved_is_redacted(root):
    """The redactor knows a value before anybody else has it."""
    redactor = Redactor()
    secrets(root, redactor=redactor).resolve(file("db/password"))
    assert redactor.text("pw=hunter2") == "pw=****"


class TestDigests:
    def test_are_made_with_every_key_the_newest_first(self, root):
        """What an older daemon made is still found among them, and a new key comes before it."""
        old, new = secrets(root, keys=[KEY]), secrets(root, keys=[NEWER, KEY])
        (made,) = old.digests(file("db/password"))
        assert made.startswith("k1:")
        assert [d.partition(":")[0] for d in new.digests(file("db/password"))] == ["k2", "k1"]
        assert new.digests(file("db/password"))[1] == made

    def test_change_with_the_value(self, root):
        """Another value is another digest."""
        resolver = secrets(root, keys=[KEY])
        made = resolver.digests(file("db/password"))
        assert resolver.digests(file("db/password")) == made
        (root / "db/password").write_text("hunter3")
        assert resolver.digests(file("db/password")) != made

    def test_without_a_key_say_how_to_get_one(self, root):
        """The message has the next step."""
        with pytest.raises(SecretUnavailable, match=r"64 random hex digits.*digestKeys"):
            secrets(root).digests(file("db/password"))

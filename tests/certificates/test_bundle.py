"""What is in a PEM, and everything that can be wrong with it; nothing secret comes out."""

from __future__ import annotations

import base64
from dataclasses import asdict
from functools import partial

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from reconciler.certificates.bundle import read_bundle
from reconciler.certificates.reader import Reader
from reconciler.desired.objects import SecretRef
from reconciler.errors import SecretUnavailable
from tests.certificates.conftest import NOW, Forge, pem

AT = NOW.timestamp()
DAY = 86400.0


def faults(*parts, now=AT):
    return [f"{state}: {message}" for state, message in read_bundle(pem(*parts), now=now).faults]


def test_one_that_is_in_order(forge):
    """What everybody may know of it, and its whole chain in one digest."""
    middle = Forge("Middle", above=forge)
    leaf, key = middle.issue("shop.example", "*.Shop.example")
    facts = read_bundle(pem(leaf, middle.certificate, key), now=AT)
    assert (facts.faults, facts.notes) == ((), ())
    assert (facts.subject, facts.issuer, facts.key) == ("CN=shop.example", "CN=Middle", "ECDSA secp256r1")
    assert facts.names == ("*.shop.example", "shop.example")
    assert (facts.not_before, facts.not_after) == (AT - DAY, AT + 90 * DAY)
    assert facts.fingerprint == leaf.fingerprint(hashes.SHA256()).hex()
    longer = read_bundle(pem(key, leaf, middle.certificate, forge.certificate), now=AT)
    assert (longer.faults, longer.fingerprint) == ((), facts.fingerprint)
    assert longer.digest != facts.digest


def test_one_without_its_chain_is_noted(forge):
    """Visitors who trust the issuer itself can use it."""
    facts = read_bundle(pem(*forge.issue("a.example")), now=AT)
    assert facts.faults == ()
    assert facts.notes[0].startswith("its issuer CN=Test Authority is not among its chain")


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()])
def test_other_kinds_of_keys_are_good_as_well(forge, key):
    """RSA of 2048 bits, and Ed25519."""
    assert faults(*forge.issue("a.example", key=key), forge.certificate) == []


def test_the_key_must_be_that_of_the_first_certificate(forge):
    """Somebody else's, none, or several."""
    leaf, key = forge.issue("a.example")
    _, other = forge.issue("a.example")
    assert faults(leaf, other)[0].startswith("failed: its key belongs to another certificate")
    assert faults(forge.certificate, leaf, key)[0].startswith("failed: its key belongs to another certificate")
    assert faults(leaf) == ["failed: there is no PRIVATE KEY block in it"]
    assert faults(leaf, key, other) == ["failed: there are 2 keys in it"]


def test_an_encrypted_key_cannot_be_used(forge):
    """Nobody is there to type its password."""
    leaf, key = forge.issue("a.example")
    text = pem(leaf) + pem(key, password=b"x")
    assert "its key is encrypted" in read_bundle(text, now=AT).faults[0][1]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA of 1024 bits"),
        (ec.generate_private_key(ec.SECP192R1()), "secp192r1"),
    ],
)
def test_a_weak_key_is_refused(forge, key, message):
    """Too few bits, or too small a curve."""
    assert message in faults(*forge.issue("a.example", key=key))[0]


def test_the_chain_must_hold(forge):
    """In order, and issued by authorities."""
    stranger = Forge("Stranger")
    leaf, key = forge.issue("a.example")
    assert faults(leaf, stranger.certificate, key) == [
        "failed: its chain is broken: CN=a.example was not issued by CN=Stranger"
    ]
    nobody = Forge("Nobody", above=forge, ca=False)
    below, below_key = nobody.issue("a.example")
    assert faults(below, nobody.certificate, below_key) == ["failed: its chain is broken: CN=Nobody is no authority"]


@pytest.mark.parametrize(
    ("days", "message"),
    [(-2, "it is not valid before 2030-01-14"), (90, "it has not been valid since 2030-04-15"), (89, None)],
)
def test_the_time_counts(forge, days, message):
    """To the second at both ends."""
    told = faults(*forge.issue("a.example"), forge.certificate, now=AT + days * DAY)
    assert [t.startswith(f"expired: {message}") for t in told[:1]] == ([True] if message else [])


def test_a_chain_that_ran_out_is_refused_as_well(forge):
    """However long the certificate itself would be valid."""
    short = Forge("Short", above=forge, days=10)
    leaf, key = short.issue("a.example")
    assert faults(leaf, short.certificate, key, now=AT + 20 * DAY)[0].startswith("expired: CN=Short in its chain")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "there is no CERTIFICATE block"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nkanarienvogel", "there is no CERTIFICATE block"),
        (bytes(range(256)), "there is no CERTIFICATE block"),
    ],
)
def test_what_is_no_certificate_is_said_to_be_none(text, message):
    """Without a word of what it holds."""
    facts = read_bundle(text, now=AT)
    assert message in facts.faults[0][1]
    assert "kanarien" not in str(facts)


class Vault:
    """Holds one value, or none."""

    def __init__(self, value: bytes | None) -> None:
        self.value = value

    def resolve(self, reference):
        if self.value is None:
            raise SecretUnavailable(f"{reference}: is not there")
        return self

    def reveal(self):
        return self.value


class Noon:
    def now(self):
        return AT


def test_no_key_and_no_pem_comes_out(forge):
    """Whatever is right or wrong with it: every line of the PEM is looked for."""
    leaf, key = forge.issue("a.example")
    _, other = forge.issue("a.example")
    damaged = pem(leaf) + pem(key).replace(b"M", b"!", 3)
    for text in (pem(leaf, key), pem(leaf, other), pem(leaf, key, other), damaged):
        vault = Vault(text)
        facts = Reader(partial(lambda held: held, vault), Noon()).read(SecretRef("file", "/s/a.pem"))
        shown = repr(asdict(facts))
        lines = [line for line in text.decode().splitlines() if len(line) > 20]
        assert not [line for line in lines if line in shown]
        assert base64.b64encode(text).decode()[:40] not in shown


def test_a_secret_that_cannot_be_had_is_missing():
    """With the reference and the reason, as the resolver says them."""
    facts = Reader(lambda: Vault(None), Noon()).read(SecretRef("file", "/s/a.pem"))
    assert facts.faults == (("missing", "file:/s/a.pem: is not there"),)

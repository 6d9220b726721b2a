"""A real name server is asked: what is there, what is not, who is silent, and that a cache is never believed."""

from __future__ import annotations

import os
import socket

import pytest

from reconciler.desired.evidence import Answer, Question
from reconciler.desired.ownership import ownership_of
from reconciler.dns.addresses import public_addresses
from reconciler.dns.lookup import Lookup
from tests.dns.conftest import Cache, NameServer, serve

pytestmark = pytest.mark.real


def lookup(*servers: tuple[str, int], timeout: float = 10.0) -> Lookup:
    return Lookup(servers, timeout=timeout, now=lambda: 5.0)


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("shop.example", "address", Answer("found", ("198.51.100.7", "2001:db8::7"))),
        ("www.shop.example", "address", Answer("found", ("198.51.100.7", "2001:db8::7"))),
        ("any.apps.shop.example", "address", Answer("found", ("198.51.100.8",))),
        ("mail.shop.example", "address", Answer("empty")),
        ("nowhere.shop.example", "address", Answer("absent")),
        ("_reconciler.shop.example", "txt", Answer("found", ("reconciler-verify=0123", "v=otherjoined"))),
        ("mail.shop.example", "txt", Answer("empty")),
        ("_reconciler.www.shop.example", "txt", Answer("absent")),
    ],
)
def test_what_the_authority_says(authority, name, kind, answer):
    """Both families, aliases and wildcards; absent and empty are told apart, and every answer has its date."""
    found = lookup(authority.at).ask(Question(name, kind))
    assert (found, found.asked_at) == (answer, 5.0)


@pytest.mark.parametrize(
    ("wanted", "state"), [(("198.51.100.7",), "matched"), (("2001:db8::7",), "matched"), (("203.0.113.1",), "mismatch")]
)
def test_a_domain_is_compared_with_what_was_really_answered(authority, wanted, state):
    """From the wire to the word."""
    question = Question("shop.example")
    answers = {question: lookup(authority.at).ask(question)}
    assert ownership_of("address", "shop.example", wanted=wanted, answers=answers).state == state


@pytest.mark.parametrize(
    ("wanted", "state"), [("reconciler-verify=0123", "matched"), ("reconciler-verify=4", "mismatch")]
)
def test_a_txt_record_is_compared_as_a_whole(authority, wanted, state):
    """One of several is enough; part of one is not."""
    question = Question("_reconciler.shop.example", "txt")
    answers = {question: lookup(authority.at).ask(question)}
    assert ownership_of("txt", "shop.example", wanted=(wanted,), answers=answers).state == state


def test_a_server_that_is_silent_is_no_answer(silent):
    """Within the time that was given, and in words."""
    answer = lookup(silent.at, timeout=0.3).ask(Question("shop.example"))
    assert answer.state == "failed"
    assert "no answer in time" in answer.detail


def test_a_server_that_is_not_there_is_no_answer():
    """A port that nobody listens on."""
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        at = bound.getsockname()
    assert lookup(at, timeout=1.0).ask(Question("shop.example")).state == "failed"


@pytest.mark.parametrize("name", ["loop.shop.example", "elsewhere.example", "away.shop.example"])
def test_what_leads_nowhere_is_no_answer(authority, name):
    """Aliases in a circle, and zones that the server refuses to speak of."""
    answer = lookup(authority.at).ask(Question(name))
    assert answer.state == "failed"
    assert answer.detail


def test_a_cache_is_asked_for_the_way_and_not_for_the_answer(nsd, tmp_path):
    """It remembers another address; the server of the zone has the new one."""
    if os.geteuid() != 0:
        pytest.skip("only root may listen on port 53")
    address = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.53"
    process = serve(nsd, tmp_path, address, 53)
    cache = Cache(NameServer(address, 53), remembered="203.0.113.66")
    try:
        answer = lookup(cache.at).ask(Question("shop.example"))
        gone = lookup(cache.at).ask(Question("nowhere.shop.example"))
    finally:
        cache.close()
        process.terminate()
        process.wait(10)
    assert answer == Answer("found", ("198.51.100.7", "2001:db8::7"))
    assert gone == Answer("absent")


def test_only_public_addresses_of_this_machine_count():
    """Behind a router it has none, and nothing is guessed."""
    import ipaddress

    assert all(ipaddress.ip_address(address).is_global for address in public_addresses())

"""Who owns a domain: what is asked, what answers mean, and that they only ever stand before a first route."""

from __future__ import annotations

import pytest

from reconciler.desired.evidence import Answer, Question
from reconciler.desired.ownership import proof
from tests.desired.test_domains import World, only, public

EVERYWHERE = 'http: ":80", https: ":443"'
HERE = "198.51.100.7"
ASKED = Question("shop.example", "address")


def world(domain: str = "shop.example: {}", *, listen: str = EVERYWHERE) -> World:
    made = World(listen=listen)
    made.web(domain)
    return made


@pytest.mark.parametrize(
    ("domain", "listen", "mode"),
    [
        ("shop.example: {}", EVERYWHERE, "address"),
        ("shop.example: {}", 'http: "127.0.0.1:80", https: "127.0.0.1:443"', "none"),
        ("shop.example: {}", 'http: ":80", https: "10.0.0.3:443"', "none"),
        ("shop.example: {tlsMode: disabled}", 'http: ":80", https: "10.0.0.3:443"', "address"),
        ("shop.example: {}", 'http: "localhost:80"', "none"),
        ("shop.localhost: {}", EVERYWHERE, "none"),
        ("shop.localhost: {verification: txt}", EVERYWHERE, "txt"),
        ("shop.example: {verification: none}", EVERYWHERE, "none"),
    ],
)
def test_how_it_is_shown(domain, listen, mode):
    """By address where strangers could reach the listener under the name; else not, unless it is said."""
    assert only(world(domain, listen=listen).desired(addresses=(HERE,))).binding.ownership.mode == mode


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (None, "pending", "DomainNotVerified"),
        (Answer("found", (HERE,)), "matched", None),
        (Answer("found", ("203.0.113.9", HERE)), "matched", None),
        (Answer("found", ("203.0.113.9",)), "mismatch", "DnsPointsElsewhere"),
        (Answer("empty"), "mismatch", "DnsPointsElsewhere"),
        (Answer("absent"), "unresolved", "DomainNotVerified"),
        (Answer("failed", detail="no answer in time"), "lookup_failed", "DomainNotVerified"),
    ],
)
def test_what_an_answer_about_addresses_means(answer, state, reason):
    """Absent, elsewhere and unknown are three states; the message says which record is missing."""
    answers = {ASKED: answer} if answer is not None else {}
    desired = world().desired(addresses=(HERE,), answers=answers)
    route = only(desired)
    assert route.binding.ownership.state == state
    assert (route.withheld.reason if route.withheld else None) == reason
    assert (route.withheld is not None and route.withheld.waiting) == (answer is None)
    assert desired.answers == answers
    if state in {"mismatch", "unresolved"}:
        assert f"shop.example. A {HERE}" in route.withheld.message


def test_a_record_that_leads_elsewhere_as_well_is_said():
    """It matched, and half of the visitors may see something else."""
    answers = {ASKED: Answer("found", ("203.0.113.9", HERE))}
    route = only(world().desired(addresses=(HERE,), answers=answers))
    assert route.binding.ownership.message == "shop.example leads to 203.0.113.9 as well"


def test_without_a_public_address_nothing_can_be_compared():
    """It is skipped, and the reason is given: nobody is kept out for the sake of our router."""
    route = only(world().desired())
    assert (route.binding.ownership.state, route.withheld) == ("skipped", None)
    assert "no public address" in route.binding.ownership.message


def test_a_listener_on_one_address_is_compared_with_that_one():
    """Whatever other addresses the machine has."""
    listen = 'http: "93.184.216.34:80", https: "93.184.216.34:443"'
    answers = {ASKED: Answer("found", ("93.184.216.34",))}
    route = only(world(listen=listen).desired(addresses=(HERE,), answers=answers))
    assert (route.binding.ownership.state, route.binding.ownership.wanted) == ("matched", ("93.184.216.34",))


@pytest.mark.parametrize(
    ("text", "state"),
    [("", "matched"), ("reconciler-verify=of-somebody-else", "mismatch"), ("v=spf1 -all", "mismatch")],
)
def test_a_txt_record_shows_it_without_leading_here(text, state):
    """The text is another for every installation, and is told."""
    question, wanted = Question("_reconciler.shop.example", "txt"), proof("me", "shop.example")
    answers = {question: Answer("found", (text or wanted,))}
    shop = world("shop.example: {verification: txt}")
    route = only(shop.desired(instance_id="me", answers=answers))
    assert route.binding.ownership.state == state
    if state == "mismatch":
        assert route.withheld.message.endswith(f'add _reconciler.shop.example. TXT "{wanted}"')
        assert route.withheld.reason == "DomainNotVerified"
    assert only(shop.desired(instance_id="you", answers=answers)).binding.ownership.state == "mismatch"


def test_a_wildcard_is_asked_about_by_a_name_below_it():
    """And its proof is that of the domain."""
    route = only(world("'*.shop.example': {tlsMode: disabled}").desired(addresses=(HERE,)))
    assert route.binding.ownership.question == Question("reconciler-check.shop.example", "address")
    assert proof("me", "*.shop.example") == proof("me", "shop.example")


def test_what_was_seen_once_needs_no_proof_any_more():
    """Another answer, or none, never takes a route away that was there."""
    shop = world()
    held = only(shop.desired(addresses=(HERE,), answers={ASKED: Answer("failed")}))
    kept = only(
        shop.desired(
            addresses=(HERE,), answers={ASKED: Answer("absent")}, established=frozenset({(held.id, held.resource)})
        )
    )
    assert held.withheld is not None
    assert (kept.withheld, kept.binding.ownership.state) == (None, "unresolved")


def test_answers_that_say_the_same_are_no_news():
    """Whenever they came."""
    assert Answer("found", ("a",), asked_at=1.0) == Answer("found", ("a",), asked_at=2.0)


def test_a_default_domain_is_the_servers_own():
    """Nobody has to prove what the operator gives."""
    made = World(listen=EVERYWHERE)
    made.web()
    routes = public(made.desired(default_domain="{resource}.apps.example", addresses=(HERE,)))
    assert [r.binding.ownership.mode for r in routes.values()] == ["none"]

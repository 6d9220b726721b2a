"""Answers of the DNS are kept, asked for again, and noticed when they change; nobody waits for them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import structlog

from reconciler.desired.bindings import Binding, Ownership
from reconciler.desired.evidence import Answer, CertificateFacts, Question
from reconciler.desired.facts import Facts
from reconciler.desired.objects import Desired, RouteObject, SecretRef
from reconciler.manifests.catalog import build
from reconciler.manifests.decode import decode_file
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.manifests.revision import File, Revision
from reconciler.observed.snapshot import Route, RouteShape, Target
from reconciler.runtime.facts import FactGatherer
from reconciler.runtime.lookups import Lookups, questions_of, seen_routes
from reconciler.runtime.world import Board, World

SHOP, OTHER = Question("shop.example"), Question("other.example")
WEB = ResourceKey("Resource", "shop", "web", "live")
UNIT = UnitKey(server("here"), "shop", "live")


class Servers:
    """Answers from a table; every question is counted."""

    def __init__(self, clock) -> None:
        self.clock, self.asked, self.says = clock, [], {}

    def ask(self, question):
        self.asked.append(question.name)
        return replace(self.says.get(question, Answer("absent")), asked_at=self.clock.now())


@pytest.fixture
def servers(clock):
    return Servers(clock)


@pytest.fixture
def board(clock):
    return Board(World(), clock)


@pytest.fixture
def lookups(servers, board, clock):
    made = Lookups(servers, board, clock, lambda: None)
    made.want([SHOP])
    return made


def test_only_another_answer_is_news(lookups, servers, clock):
    """A fresher one that says the same is none."""
    with structlog.testing.capture_logs() as logs:
        assert lookups.look()
        clock.advance(60)
        assert not lookups.look()
        servers.says[SHOP] = Answer("found", ("198.51.100.7",))
        clock.advance(60)
        assert lookups.look()
    assert servers.asked == ["shop.example"] * 3
    assert [(line["name"], line["state"]) for line in logs] == [("shop.example", "absent"), ("shop.example", "found")]


@pytest.mark.parametrize(("answer", "pause"), [(Answer("found", ("a",)), 300), (Answer("failed"), 60)])
def test_a_question_is_asked_again_after_a_while(lookups, servers, clock, answer, pause):
    """Sooner where there was nothing to be found."""
    servers.says[SHOP] = answer
    lookups.look()
    clock.advance(pause - 1)
    assert not lookups.look()
    assert len(servers.asked) == 1
    clock.advance(1)
    lookups.look()
    assert len(servers.asked) == 2


def test_what_nobody_wants_any_more_is_forgotten(lookups, clock):
    """Answers do not pile up."""
    lookups.look()
    lookups.want([OTHER])
    lookups.look()
    assert list(lookups.answers()) == [OTHER]


def test_a_fresher_answer_only_gets_its_date(lookups, servers, board, clock):
    """Readers of the published value see it, and are not woken for it."""
    servers.says[SHOP] = Answer("found", ("a",))
    lookups.look()
    board.change(lambda world: replace(world, desired=Desired(answers={SHOP: lookups.answers()[SHOP]})))
    serial = board.published().serial
    clock.advance(300)
    lookups.look()
    assert board.read().desired.answers[SHOP].asked_at == clock.now()
    assert board.published().serial == serial


def test_another_answer_comes_with_another_desired_state(lookups, servers, board, clock):
    """Never beside it: what is shown was judged by what it shows."""
    lookups.look()
    board.change(lambda world: replace(world, desired=Desired(answers=dict(lookups.answers()))))
    servers.says[SHOP] = Answer("found", ("a",))
    clock.advance(60)
    lookups.look()
    assert board.read().desired.answers[SHOP].state == "absent"


def test_the_thread_tells_of_news_and_survives_its_failures(servers, board, clock):
    """A new question wakes it; what is raised is told and does not end it."""
    told, raised = threading.Event(), threading.Event()

    def changed():
        if not raised.is_set():
            raised.set()
            raise ValueError("x")
        told.set()

    with structlog.testing.capture_logs():
        lookups = Lookups(servers, board, clock, changed)
        lookups.start()
        lookups.want([SHOP])
        assert raised.wait(30)
        lookups.want([SHOP, OTHER])
        assert told.wait(30)
        lookups.stop()
    assert not lookups._thread.is_alive()


def test_questions_come_from_the_routes_that_are_wanted():
    """Those that need no proof ask nothing."""
    ownership = Ownership("address", "pending", SHOP)
    routes = (
        RouteObject("shop.example/", WEB, UNIT, binding=Binding("shop.example", ownership=ownership)),
        RouteObject("a.localhost/", WEB, UNIT, binding=Binding("a.localhost")),
        RouteObject("address", WEB, UNIT, internal=True),
    )
    assert questions_of(Desired(routes=routes)) == {SHOP}


def test_routes_of_ours_that_are_there_are_remembered():
    """Not foreign ones, and not stable addresses."""
    ours = Route("shop.example/", WEB, UNIT, shape=RouteShape("shop.example"))
    routes = (ours, replace(ours, id="b", ours=False), replace(ours, id="c", shape=RouteShape(listen="127.0.0.1:1")))
    assert seen_routes({server("here"): Target(routes={r.id: r for r in routes})}) == {("shop.example/", WEB)}


CERTIFICATE = b"""
apiVersion: reconciler.dev/v1alpha1
kind: Certificate
metadata: {name: c, project: shop}
spec: {source: imported, secretRef: {file: /s/c.pem}, domains: [a.example]}
---
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec: {environments: {live: {target: {server: here}}}}
---
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {name: here}
spec: {connection: {kind: local}, engine: process}
"""


class Shelf:
    def read(self, reference):
        return CertificateFacts(digest=str(reference))


def test_certificates_are_gathered_with_what_is_known_of_the_daemon():
    """Read anew each time, so that a renewed one is noticed."""
    catalog = build(
        {"main": Revision("main", "r", {"c.yaml": File("c.yaml", "c" * 40)})},
        {("main", "c.yaml"): decode_file("c.yaml", CERTIFICATE)},
    )
    around = Facts(instance_id="me", answers={SHOP: Answer("absent")})
    gatherer = FactGatherer(frozenset({"main"}), None, lambda: None, dict, certificates=Shelf(), around=lambda: around)
    facts = gatherer.gather(catalog)
    assert facts.certificates == {SecretRef("file", "/s/c.pem"): CertificateFacts(digest="file:/s/c.pem")}
    assert (facts.instance_id, facts.answers) == ("me", {SHOP: Answer("absent")})

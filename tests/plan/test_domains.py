"""Routes that have to wait, and routes that are there: nothing that is seen or written wrong turns one off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.bindings import Withheld
from reconciler.desired.objects import (
    CertificateObject,
    Desired,
    EdgeCertificate,
    EdgeObject,
    Held,
    RouteObject,
    SecretRef,
    TargetObject,
)
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.manifests.problem import Position
from reconciler.observed.snapshot import Edge, EdgeState, Instance, Route, RouteShape, State, Target
from reconciler.plan.actions import Claim, EdgeSpec, Plan, Verb
from reconciler.plan.planner import Inputs, plan
from reconciler.plan.targets import edge_settings

HERE = server("here")
LIVE = UnitKey(HERE, "shop", "live")
WEB = ResourceKey("Resource", "shop", "web", "live")
EDGE = EdgeObject()
SHAPE = RouteShape(host="shop.example", tls="auto")
WANTED = RouteObject("shop.example/", WEB, LIVE, "http", SHAPE, place=Position("web.yaml", 4, 1))
THERE = Route("shop.example/", WEB, LIVE, frozenset({"old"}), SHAPE, {"old": "127.0.0.1:1"})
INSTANCES = {
    n: Instance(n, n, WEB, LIVE, n, "", 0, State.RUNNING, ports={"http": p}) for n, p in (("old", 1), ("new", 2))
}


def furniture(*wanted: RouteObject, there: Route | None = None, claims=(), **desired) -> Plan:
    """The plan of the target's furniture when the environment claims its route for the new instance."""
    said = claims or [Claim(r.id, r.resource, r.unit, frozenset({"new"})) for r in wanted]
    seen = Target(
        observed_at=1.0,
        instances=INSTANCES,
        routes={there.id: there} if there else {},
        edge=Edge(EdgeState.RUNNING, settings=edge_settings(EDGE)),
    )
    made = Desired(routes=wanted, targets={HERE: TargetObject(HERE, "process", edge=EDGE)}, **desired)
    by_unit = {LIVE: {f"{c.id} {c.resource}": c for c in said}}
    return plan(UnitKey(HERE), Inputs(desired=made, snapshot={HERE: seen}, now=1.0, claims=by_unit))


def written(said: Plan) -> EdgeSpec | None:
    """What the edge gets; None when nothing is written."""
    specs = [a.payload for a in said.actions if a.verb is Verb.CONFIGURE_EDGE]
    assert len(specs) <= 1
    return specs[0] if specs else None


def held(reason: str = "DomainNotVerified", **more) -> RouteObject:
    return replace(WANTED, withheld=Withheld(reason, "add a record", **more))


def test_a_first_route_waits_for_its_proof():
    """And says what to do about it."""
    said = furniture(held())
    assert written(said) is None
    assert [(b.key, b.reason) for b in said.blocks] == [(WEB, "DomainNotVerified")]
    assert said.blocks[0].message == "shop.example/: it gets no route: add a record"


def test_what_is_only_a_matter_of_time_is_waited_for():
    """It is no block that somebody has to end."""
    said = furniture(held(waiting=True))
    assert (written(said), said.blocks) == (None, ())
    assert said.waits[0].what == "shop.example/: add a record"


def test_a_route_that_is_there_goes_on_whatever_the_dns_says():
    """Releases move, and a new shape is taken, without a word."""
    moved = replace(held(), shape=replace(SHAPE, strip_prefix=True))
    said = furniture(moved, there=THERE)
    (route,) = written(said).routes
    assert (route.upstreams, route.shape.strip_prefix, said.blocks) == (frozenset({"new"}), True, ())


@pytest.mark.parametrize("reason", ["NotPossible", "CertificateMissing", "RedirectLoop"])
def test_what_is_written_wrong_changes_no_shape_that_is_there(reason):
    """Releases still move; the rest stays, and is told."""
    wrong = replace(held(reason, keeps_shape=True), shape=RouteShape(host="shop.example", redirect_to="b.example"))
    said = furniture(wrong, there=THERE, claims=[Claim(WANTED.id, WEB, LIVE, frozenset({"new"}))])
    (route,) = written(said).routes
    assert (route.upstreams, route.shape) == (frozenset({"new"}), SHAPE)
    assert [(b.reason, "what is there stays" in b.message) for b in said.blocks] == [(reason, True)]


def test_somebody_elses_route_is_not_taken_without_a_proof():
    """The resource that had it is gone; the next one has to show that the domain is its own."""
    before = replace(THERE, resource=ResourceKey("Resource", "shop", "before", "live"))
    assert written(furniture(held(), there=before)) is None


def test_the_edge_gets_the_certificates_that_its_routes_name():
    """As references, once each; a renewed one changes the route, and so the edge is written once."""
    certificate = EdgeCertificate("shop-live-c-1", SecretRef("file", "/s/c.pem"))
    other = replace(certificate, name="shop-live-c-2")
    known = tuple(
        CertificateObject(ResourceKey("Certificate", "shop", c.name, "live"), "imported", (), usable=c)
        for c in (certificate, other)
    )
    route = replace(WANTED, shape=replace(SHAPE, tls=other.name))
    there = replace(
        THERE, upstreams=frozenset({"new"}), dials={"new": "127.0.0.1:2"}, shape=replace(SHAPE, tls=certificate.name)
    )
    said = furniture(route, there=there, certificates=known)
    assert written(said).certificates == (other,)
    assert written(furniture(route, there=replace(there, shape=route.shape), certificates=known)) is None


@pytest.mark.parametrize(
    "lost",
    [
        Held(keys=frozenset({ResourceKey("Domain", "shop", "d")})),
        Held(keys=frozenset({WEB.written})),
        Held(projects=frozenset({"shop"})),
        Held(sources=frozenset({"main"})),
    ],
)
def test_a_route_stays_while_what_may_declare_it_cannot_be_read(lost):
    """A Domain document of its project included: what it says is unknown, not gone."""
    said = furniture(there=THERE, held=lost, claims=[Claim("other.example/", WEB, LIVE, frozenset({"new"}))])
    assert written(said) is None
    assert [b.reason for b in said.blocks] == ["DesiredUnknown"]


def test_a_domain_that_is_gone_takes_its_route_along():
    """Nothing is held: it is no longer declared."""
    said = furniture(there=THERE, claims=[Claim("other.example/", WEB, LIVE, frozenset({"new"}))])
    assert written(said).routes == ()


def test_rivals_are_told_where_both_are_written():
    """The holder keeps it."""
    api = replace(WANTED, resource=ResourceKey("Resource", "shop", "api", "live"), place=Position("api.yaml", 9, 2))
    said = furniture(WANTED, api, there=THERE)
    (block,) = said.blocks
    assert (block.key.name, block.reason) == ("api", "DomainConflict")
    assert "Resource/shop/live/web keeps it" in block.message
    assert "api.yaml:9:2" in block.message and "web.yaml:4:1" in block.message

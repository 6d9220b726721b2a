"""How routes, domains and certificates are told: sources, states and blockers in the published words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.bindings import Binding, Ownership, Withheld
from reconciler.desired.evidence import Answer, CertificateFacts, Question
from reconciler.desired.objects import CertificateObject, EdgeCertificate, EdgeObject, RouteObject, SecretRef
from reconciler.observed.snapshot import Collection, Edge, EdgeState, Health, Route, RouteShape, State
from reconciler.status.presenting import resources, routes
from reconciler.status.presenting.picture import Picture, picture
from tests.api import shop

SHAPE = RouteShape("shop.example", tls="auto")
OWN = Ownership("address", "matched", Question("shop.example"), ("198.51.100.7",), ("198.51.100.7",))
BINDING = Binding("Shop.example", ownership=OWN)
WANTED = RouteObject("shop.example/", shop.WEB, shop.PRODUCTION, "http", SHAPE, binding=BINDING)
UP = shop.instance(shop.WEB, "a", 0).name
THERE = Route("shop.example/", shop.WEB, shop.PRODUCTION, frozenset({UP}), SHAPE)


def shown(
    *wanted: RouteObject, there=(THERE,), edge=EdgeState.RUNNING, unknown=(), certificates=(), instances=None
) -> Picture:
    """The shop with an edge on its first server, these routes wanted, and these there."""
    seen = shop.snapshot()
    target = replace(
        seen[shop.VPS1],
        routes={r.id: r for r in there},
        edge=Edge(edge),
        unknown=frozenset(unknown),
        instances={**seen[shop.VPS1].instances, **(instances or {})},
    )
    before = shop.desired()
    desired = replace(
        before,
        routes=wanted,
        certificates=certificates,
        answers={Question("shop.example"): Answer("found", ("198.51.100.7",), asked_at=shop.NOW - 60)},
        targets={**before.targets, shop.VPS1: replace(before.targets[shop.VPS1], edge=EdgeObject())},
    )
    return picture(shop.published(desired=desired, snapshot={**seen, shop.VPS1: target}), now=shop.NOW)


def one(found: Picture):
    (view,) = routes.of(found, shop.WEB)
    return view


def test_a_route_that_works():
    """Where it comes from, that it is ready, who answers, and what the DNS said when."""
    view = one(shown(WANTED))
    assert (view.source, view.state, view.blockers) == ("durable-domain-binding", "ready", ())
    assert (view.url, view.upstreams) == ("https://shop.example/", (UP,))
    assert (view.dns.state, view.dns.name, view.dns.checked_at.timestamp()) == (
        "matched",
        "shop.example",
        shop.NOW - 60,
    )
    assert (view.tls.state, view.tls.message) == (
        "unknown",
        "the edge proxy obtains and keeps it; whether it has it is not looked into",
    )


@pytest.mark.parametrize(
    ("change", "state", "blockers"),
    [
        ({"there": ()}, "planned", ["proxy_route_missing"]),
        ({"there": (replace(THERE, resource=shop.API),)}, "failed", ["proxy_route_missing"]),
        ({"there": (replace(THERE, altered=True),)}, "stale", ["proxy_route_stale"]),
        ({"there": (replace(THERE, shape=replace(SHAPE, strip_prefix=True)),)}, "stale", ["proxy_route_stale"]),
        ({"there": (replace(THERE, upstreams=frozenset()),)}, "not-ready", ["runtime_not_ready"]),
        ({"edge": EdgeState.DOWN}, "failed", ["server_applied_route_unavailable"]),
        ({"unknown": [Collection.ROUTES]}, "unknown", ["observation_unavailable"]),
    ],
)
def test_what_has_become_of_a_route(change, state, blockers):
    """Planned, somebody else's, changed, unanswered, unreachable, unseen."""
    view = one(shown(WANTED, **change))
    assert (view.state, list(view.blockers)) == (state, blockers)


@pytest.mark.parametrize(
    ("health", "state", "blockers"),
    [
        (Health.HEALTHY, "ready", []),
        (Health.UNHEALTHY, "not-ready", ["health_check_failing"]),
        (Health.UNKNOWN, "applied", []),
    ],
)
def test_who_answers_counts(health, state, blockers):
    """A route to something unhealthy is applied and not ready."""
    instance = replace(shop.instance(shop.WEB, "a", 0), health=health)
    view = one(shown(WANTED, instances={UP: instance}))
    assert (view.state, list(view.blockers)) == (state, blockers)
    stopped = one(shown(WANTED, instances={UP: replace(instance, state=State.STOPPED)}))
    assert list(stopped.blockers) == ["runtime_not_ready"]


def test_a_redirect_needs_nobody():
    """It is ready as soon as it is there."""
    shape = replace(SHAPE, redirect_to="b.example", redirect_status=308)
    view = one(shown(replace(WANTED, shape=shape), there=(replace(THERE, shape=shape, upstreams=frozenset()),)))
    assert (view.state, view.redirect_to, view.redirect_status) == ("ready", "b.example", 308)


@pytest.mark.parametrize(
    ("dns", "there", "blockers", "status"),
    [
        ("pending", (), ["proxy_route_missing", "domain_not_verified"], "pending_verification"),
        ("unresolved", (), ["proxy_route_missing", "domain_not_verified"], "pending_verification"),
        ("lookup_failed", (), ["proxy_route_missing", "domain_not_verified"], "pending_verification"),
        (
            "mismatch",
            (),
            ["proxy_route_missing", "dns_points_elsewhere", "domain_not_verified"],
            "pending_verification",
        ),
        ("mismatch", (THERE,), ["dns_points_elsewhere"], "ready"),
        ("lookup_failed", (THERE,), [], "ready"),
        ("matched", (), ["proxy_route_missing"], "requested"),
    ],
)
def test_what_the_dns_stands_in_the_way_of(dns, there, blockers, status):
    """Of a first route; one that is there only tells that visitors are led elsewhere."""
    binding = replace(BINDING, ownership=replace(OWN, state=dns))
    held = Withheld("DomainNotVerified", "add a record", waiting=dns == "pending") if dns != "matched" else None
    found = shown(replace(WANTED, binding=binding, withheld=held), there=there)
    assert list(one(found).blockers) == blockers
    (domain,) = routes.domains(found)
    assert (domain.status, domain.route.dns.state) == (status, dns)


FACTS = CertificateFacts("d" * 64, "f" * 64, "CN=shop.example", "CN=CA", ("shop.example",), 1.0, 2e9, "RSA 2048")
CERTIFICATE = CertificateObject(
    shop.key("shop", kind="Certificate"),
    "imported",
    ("shop.example",),
    FACTS,
    EdgeCertificate("shop-production-shop-1", SecretRef("file", "/s/shop.pem")),
)


@pytest.mark.parametrize(
    ("faults", "state", "blockers", "status"),
    [
        ((), "active", [], "active"),
        ((("missing", "gone"),), "missing", ["certificate_missing"], "pending"),
        ((("failed", "another key"),), "failed", ["certificate_missing"], "failed"),
        ((("expired", "since 2020"),), "expired", ["certificate_expired_or_not_active"], "expired"),
        ((("pending", "not read yet"),), "pending", [], "pending"),
    ],
)
def test_an_imported_certificate(faults, state, blockers, status):
    """Its state, what it stands in the way of, and its metadata alone."""
    shape = replace(SHAPE, tls=CERTIFICATE.usable.name)
    binding = replace(BINDING, policy="manual", certificate=CERTIFICATE.key)
    certificate = replace(CERTIFICATE, faults=faults)
    there = replace(THERE, shape=shape)
    found = shown(replace(WANTED, shape=shape, binding=binding), there=(there,), certificates=(certificate,))
    view = one(found)
    assert (view.tls.state, list(view.blockers)) == (state, blockers)
    assert view.tls.certificate == "shop/production/shop"
    (told,) = routes.certificates(found)
    assert (told.status, told.used_by, told.fingerprint) == (status, ("shop.example/",), "f" * 64)
    assert "/s/shop.pem" not in told.model_dump_json()


@pytest.mark.parametrize(
    ("tls", "off", "state"),
    [("", "disabled", "disabled"), ("", "not-applicable", "not-applicable"), ("internal", "", "active")],
)
def test_other_states_of_tls(tls, off, state):
    """Turned off, nothing to protect, and the edge's own authority."""
    shape = replace(SHAPE, tls=tls)
    wanted = replace(WANTED, shape=shape, binding=replace(BINDING, tls_off=off))
    assert one(shown(wanted, there=(replace(THERE, shape=shape),))).tls.state == state
    if tls:
        assert one(shown(wanted, there=())).tls.state == "pending"


def test_the_order_of_addresses():
    """Durable, server-applied, generated; what is only planned comes last."""

    def route(host: str, source: str = "durable-domain-binding"):
        shape = RouteShape(host)
        return replace(WANTED, id=f"{host}/", shape=shape, binding=Binding(host, source))

    def there(host: str):
        return replace(THERE, id=f"{host}/", shape=RouteShape(host))

    wanted = (route("a-given.example", "generated-default-access"), route("b-planned.example"), route("c.example"))
    found = shown(*wanted, there=(there("a-given.example"), there("c.example"), there("d-left.example")))
    views = routes.of(found, shop.WEB)
    assert [(v.host, v.source.value, v.state.value) for v in views] == [
        ("c.example", "durable-domain-binding", "ready"),
        ("d-left.example", "server-applied-route", "applied"),
        ("a-given.example", "generated-default-access", "ready"),
        ("b-planned.example", "durable-domain-binding", "planned"),
    ]
    assert resources.view(found, shop.WEB).urls[:4] == tuple(v.url for v in views)
    assert resources.summary(found, shop.WEB).url == "http://c.example/"


def test_a_domain_is_called_by_its_document_or_by_its_host_and_path():
    """A default one is nobody's document, and is no domain of this list."""
    long = replace(WANTED, binding=replace(BINDING, document=shop.key("front", kind="Domain")))
    short = replace(WANTED, id="shop.example/api/x", binding=Binding("shop.example/api/x"))
    given = replace(WANTED, id="z.localhost/", binding=Binding("z.localhost", "generated-default-access"))
    found = routes.domains(shown(long, short, given))
    assert [d.id for d in found] == ["shop/production/front", "shop/production/shop.example-api-x"]
    assert found[0].domain_name == "Shop.example"

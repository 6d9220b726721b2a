"""Imported certificates: which one a domain uses, that a renewal changes its route, that a bad one changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.evidence import CertificateFacts
from reconciler.desired.facts import certificate_references
from reconciler.desired.objects import Desired, RouteObject, SecretRef
from tests.desired.test_domains import World, public, said

PEM = SecretRef("file", "/s/shop.pem")
GOOD = CertificateFacts(digest="d" * 64, fingerprint="f" * 64, names=("*.shop.example", "shop.example"), not_after=2e9)


@pytest.fixture
def world() -> World:
    """A domain that uses an imported certificate."""
    made = World()
    made.web("shop.example: {certificateRef: shop}")
    made.document("Certificate", "shop", "source: imported, secretRef: {file: /s/shop.pem}, domains: [shop.example]")
    return made


def read(world: World, facts: CertificateFacts | None = GOOD, **more) -> Desired:
    return world.desired(certificates={PEM: facts} if facts is not None else {}, **more)


def one(desired: Desired) -> RouteObject:
    (route,) = public(desired).values()
    return route


def test_a_route_names_the_certificate_that_its_edge_is_to_have(world):
    """By a name that is another for another certificate; the secret travels as a reference."""
    desired = read(world)
    (certificate,) = desired.certificates
    assert said(desired) == []
    assert one(desired).shape.tls == certificate.usable.name
    assert certificate.usable.secret == PEM
    assert certificate.usable.name.startswith("shop-live-shop-")
    renewed = read(world, replace(GOOD, digest="e" * 64))
    assert one(renewed).shape.tls not in {"", one(desired).shape.tls}
    assert one(read(world, replace(GOOD, notes=("x",)))).shape == one(desired).shape


def test_its_secret_is_gathered_in_overrides_too(world):
    """So that every environment can have its own."""
    world.document(
        "Certificate",
        "shop",
        "source: imported, secretRef: {file: /s/shop.pem}, domains: [shop.example], "
        "overrides: {live: {secretRef: {file: null, env: SHOP_PEM}}}",
    )
    other = SecretRef("env", "SHOP_PEM")
    assert certificate_references(world.catalog()) == [other, PEM]
    assert world.desired(certificates={other: GOOD}).certificates[0].usable.secret == other


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (CertificateFacts(faults=(("missing", "file:/s/shop.pem: is not there"),)), "is not there"),
        (replace(GOOD, faults=(("expired", "it has not been valid since 2020"),)), "certificate expired: it has not"),
        (replace(GOOD, faults=(("failed", "its key belongs to another certificate"),)), "certificate failed: its key"),
        (replace(GOOD, names=("other.example",)), "it is not good for shop.example: it names other.example"),
    ],
)
def test_one_that_cannot_be_used_changes_nothing_that_is_there(world, facts, message):
    """It is told at its own place and at the domain's; the resource goes on, and so does a route that exists."""
    desired = read(world, facts)
    route = one(desired)
    assert (route.withheld.reason, route.withheld.keeps_shape) == ("CertificateMissing", True)
    told = said(desired)
    assert any(t.startswith("shopcertificate-shop.yaml:4") and message in t for t in told), told
    assert any(t.startswith("shopresource-web.yaml:4") for t in told)
    assert len(desired.workloads) == 1


def test_one_that_was_not_read_yet_is_waited_for(world):
    """Nothing is wrong, and nothing is said."""
    desired = read(world, None)
    assert (one(desired).withheld.waiting, said(desired)) == (True, [])


def test_manual_takes_the_imported_one_that_lists_the_host(world):
    """By its declared domains; a managed one is nobody's to bring along."""
    world.web("shop.example: {certificatePolicy: manual}")
    assert one(read(world)).binding.certificate.name == "shop"
    world.web("other.example: {certificatePolicy: manual}")
    assert "no imported Certificate lists other.example" in said(read(world))[0]
    world.web("shop.example: {certificateRef: shop}")
    world.document("Certificate", "shop", "source: managed, domains: [shop.example]")
    assert "shop is managed" in said(world.desired())[0]


def test_a_domain_beside_those_that_it_lists_must_be_among_its_names(world):
    """certificateRef says which; whether it fits is seen."""
    world.web("x.shop.example: {certificateRef: shop}, y.x.shop.example: {certificateRef: shop}")
    held = {r.id: r.withheld is not None for r in public(read(world)).values()}
    assert held == {"x.shop.example/": False, "y.x.shop.example/": True}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("source: imported, domains: [a.example]", "secretRef is required"),
        ("source: managed, secretRef: {file: /x}, domains: [a.example]", "secretRef is for imported certificates"),
        ("source: managed, domains: []", "domains"),
        ("source: managed, domains: [a.example], retryToken: x", "not supported by this version yet"),
    ],
)
def test_what_a_certificate_cannot_be(world, spec, message):
    """Found where it is written."""
    world.web()
    world.document("Certificate", "shop", spec)
    assert any(message in text for text in said(world.desired()))


def test_a_name_of_no_certificate_is_a_dangling_reference(world):
    """In both forms, before anything else."""
    world.web("shop.example: {certificateRef: shopp}")
    assert "there is no Certificate shopp in project shop; did you mean shop" in said(world.desired())[0]

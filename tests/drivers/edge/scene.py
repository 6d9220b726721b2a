"""Routes of every kind, as the planner hands them to an edge."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.objects import EdgeObject
from reconciler.drivers.edge.marks import Marks
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.observed.snapshot import Route, RouteShape

HERE = server("here")
FURNITURE = UnitKey(HERE)
UNIT = UnitKey(HERE, "shop", "production")
WEB = ResourceKey("Resource", "shop", "web", "production")
EDGE = EdgeObject(http="127.0.0.1:8080", https="127.0.0.1:8443", acme_email="ops@shop.example")
MARKS = Marks("this-daemon")


def served(artifact: str) -> str:
    return f"/artifacts/{artifact}"


def route(name: str, *dials: str, **shape: object) -> Route:
    """``name`` is host and path; each of ``dials`` is the place of one instance."""
    host, _, path = name.partition("/")
    upstreams = {f"web-{n}": dial for n, dial in enumerate(dials)}
    made = RouteShape(**{"host": host, "path": f"/{path}", "drain": 30.0, **shape})
    return Route(name, WEB, UNIT, frozenset(upstreams), made, upstreams)


def address(name: str, listen: str, *dials: str) -> Route:
    return replace(route(name, *dials), shape=RouteShape(listen=listen, drain=30.0))


ROUTES = (
    route("shop.localhost/", "127.0.0.1:20001"),
    route("shop.localhost/api", "127.0.0.1:20002", "127.0.0.1:20003", strip_prefix=True),
    route("site.localhost/", static="tree-1"),
    route("www.localhost/", redirect_to="shop.localhost", redirect_status=301),
    route("old.localhost/", redirect_to="elsewhere.example", redirect_status=307),
    route("safe.localhost/", "127.0.0.1:20001", tls="internal"),
    route("shop.example/", "127.0.0.1:20001", tls="auto"),
    route("own.example/", "127.0.0.1:20001", tls="own-1a2b3c"),
    route("nobody.localhost/"),
    address("shop-production-web-http-0", "127.0.0.1:20100", "127.0.0.1:20001"),
)

"""Caddy's JSON -> what it does for us, and whether that is still what we wrote. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.desired.objects import EdgeObject
from reconciler.drivers.edge import marks
from reconciler.drivers.edge.marks import Marks
from reconciler.drivers.edge.merge import entries, merged
from reconciler.drivers.edge.render import HTTP, HTTPS, Block, Json, Served, block
from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Edge, EdgeState, Route
from reconciler.plan.targets import edge_settings
from reconciler.ports import EdgeReading


def read(
    config: Json, marks_of: Marks, served: Served, *, unit: UnitKey, kept: frozenset[str] = frozenset()
) -> EdgeReading:
    """What is there, where the certificates ``kept`` lie beside it. ``unit`` is the furniture's, to which things belong
    whose mark was damaged."""
    edge = marks_of.edge(config.get("admin"))
    ours = dict(_ours(config, marks_of, unit))
    foreign = {route.id: route for route in _foreign(config, marks_of, unit)}
    if edge is None:
        return EdgeReading(Edge(EdgeState.RUNNING, detail="it was not told anything yet"), foreign | ours)
    routes = {name: replace(route, altered=False) for name, route in ours.items()}
    expected = _expected(edge, routes, marks_of, served, kept)
    live = _texts(config, marks_of)
    wanted = _texts(merged({}, expected, marks_of), marks_of) if expected is not None else {}
    for name, route in ours.items():
        mark = marks_of.of_route(route)
        routes[name] = replace(route, altered=route.altered or mark not in live or live[mark] != wanted.get(mark))
    return EdgeReading(_edge(edge, config, expected, routes, marks_of), foreign | routes)


def _edge(edge: EdgeObject, config: Json, expected: Block | None, routes: dict[str, Route], marks_of: Marks) -> Edge:
    touched = not any(route.altered for route in routes.values()) and not _is_as(config, expected, marks_of)
    servers = config.get("apps", {}).get("http", {}).get("servers", {})
    listening = [address for name in (HTTP, HTTPS) for address in servers.get(name, {}).get("listen", [])]
    return Edge(EdgeState.RUNNING, listening=tuple(listening), settings=edge_settings(edge), altered=touched)


def _expected(
    edge: EdgeObject, routes: dict[str, Route], marks_of: Marks, served: Served, kept: frozenset[str]
) -> Block | None:
    try:
        return block(edge, routes.values(), marks_of, served, kept=kept)
    except ReconcilerError:
        return None  # somebody wrote into a mark what we never would


def _is_as(config: Json, expected: Block | None, marks_of: Marks) -> bool:
    try:
        return expected is not None and merged(config, expected, marks_of) == config
    except ReconcilerError:
        return False


def _ours(config: Json, marks_of: Marks, unit: UnitKey) -> Iterator[tuple[str, Route]]:
    for number, (_, entry) in enumerate(entries(config, marks_of)):
        if marks_of.kind(entry) == marks.ROUTE:
            route = marks_of.route(entry) or _damaged(number, unit)
            yield route.id, route


def _damaged(number: int, unit: UnitKey) -> Route:
    name = f"damaged-{number}"
    return Route(name, ResourceKey("Unknown", "", name), unit, altered=True)


def _foreign(config: Json, marks_of: Marks, unit: UnitKey) -> Iterator[Route]:
    """Routes that somebody put into our public servers: their names are taken."""
    for server, entry in entries(config, marks_of):
        if server not in (HTTP, HTTPS) or marks_of.kind(entry):
            continue
        for match in (m for m in entry.get("match", []) if isinstance(m, dict)):
            path = next((p.rstrip("*").rstrip("/") for p in match.get("path", [])), "")
            for host in match.get("host", []):
                name = f"{host}{path or '/'}"
                yield Route(name, ResourceKey("Unknown", "", name), unit, ours=False)


def _texts(config: Json, marks_of: Marks) -> dict[str, Json]:
    return {entry["@id"]: entry for _, entry in entries(config, marks_of) if marks_of.kind(entry) == marks.ROUTE}

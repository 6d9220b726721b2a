"""Our block in a whole configuration: what is ours is replaced, everything else survives as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.drivers.edge import marks
from reconciler.drivers.edge.marks import Marks
from reconciler.drivers.edge.render import Block, Json
from reconciler.errors import ExistsNotOurs


def merged(config: Json, block: Block, marks_of: Marks) -> Json:
    """``config`` with exactly ``block`` of ours. Raises ``ExistsNotOurs`` where somebody else has one of our names."""
    apps = _object(config.get("apps"))
    http, tls, pki = _object(apps.get("http")), _object(apps.get("tls")), _object(apps.get("pki"))
    automation = _object(tls.get("automation"))
    servers = _servers(_object(http.get("servers")), block.servers, marks_of)
    policies = [*block.policies, *(p for p in _list(automation.get("policies")) if not marks_of.kind(p))]
    authorities = _named(_object(pki.get("certificate_authorities")), block.authorities, marks_of)
    loaded = _object(tls.get("certificates"))
    files = [*block.files, *(f for f in _list(loaded.get("load_files")) if not marks_of.kind(f))]
    tls = _with(tls, "automation", _with(automation, "policies", policies))
    tls = _with(tls, "certificates", _with(loaded, "load_files", files))
    wanted = _with(apps, "http", _with(http, "servers", servers))
    wanted = _with(wanted, "tls", tls)
    wanted = _with(wanted, "pki", _with(pki, "certificate_authorities", authorities))
    return {**_with(config, "apps", wanted), "admin": block.admin}


def _with(whole: Json, name: str, part: Any) -> Json:
    """``whole`` with a part of it replaced; an empty one that was not there is not made."""
    if part or name in whole:
        return {**whole, name: part}
    return whole


def _named(found: Json, ours: Mapping[str, Json], marks_of: Marks) -> Json:
    foreign = {name: thing for name, thing in found.items() if not marks_of.kind(thing)}
    for name in ours:
        if name in foreign:
            raise ExistsNotOurs(f"{name}: the edge has one of this name that is not ours; rename it there")
    return {**foreign, **ours}


def _servers(found: Json, ours: Mapping[str, Json], marks_of: Marks) -> Json:
    kept = {
        name: {**server, "routes": _routes(_list(_object(found.get(name)).get("routes")), server["routes"], marks_of)}
        for name, server in ours.items()
    }
    return _named(found, kept, marks_of)


def _routes(found: list[Any], ours: list[Json], marks_of: Marks) -> list[Any]:
    """Others' routes in a server of ours keep their side of ours; only the last word stays the last."""
    first = next((n for n, route in enumerate(found) if marks_of.kind(route)), 0)
    before = [route for route in found[:first] if not marks_of.kind(route)]
    after = [route for route in found[first:] if not marks_of.kind(route)]
    last = [route for route in ours if marks_of.kind(route) == marks.PLACEHOLDER]
    return [*before, *(route for route in ours if route not in last), *after, *last]


def entries(config: Json, marks_of: Marks) -> Iterable[tuple[str, Json]]:
    """The routes in servers of ours, with the server's name, whosever they are."""
    servers = _object(_object(_object(config.get("apps")).get("http")).get("servers"))
    for name, server in servers.items():
        if marks_of.kind(server) == marks.SERVER:
            yield from ((name, route) for route in _list(server.get("routes")) if isinstance(route, dict))


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

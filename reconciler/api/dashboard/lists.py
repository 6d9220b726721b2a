"""The pages about everything at once: plan, events, targets, sources, doctor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.api import records
from reconciler.api.board import Surface
from reconciler.api.dashboard import filters
from reconciler.api.queries import Query
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Edge
from reconciler.status import parts, views
from reconciler.status.presenting import doctor, places, plans, sources
from reconciler.status.presenting.picture import Picture

FACET_EVENTS = 500
WINDOWS: Mapping[str, float] = {"1h": 3600.0, "24h": 86_400.0, "7d": 604_800.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """``units`` are those with anything to say; ``settled`` counts the others."""

    said: views.PlanView
    units: tuple[views.UnitPlanView, ...]
    settled: int
    facets: tuple[filters.Filter, ...]


def plan(picture: Picture, query: Query) -> Plan:
    said = plans.view(picture, project=query.text("project"), environment=query.text("environment"))
    units = tuple(u for u in said.units if u.actions or u.waits or u.blocks or u.held or u.gates)
    return Plan(said, units, len(said.units) - len(units), filters.scope(picture, query, "/plan", ()))


@dataclass(frozen=True, slots=True)
class Events:
    said: views.Events
    facets: tuple[filters.Filter, ...]
    resource: str
    without_resource: str
    older: str
    newest: str


EVENT_FILTERS = ("project", "environment", "resource", "type", "window")


def events(surface: Surface, picture: Picture, query: Query) -> Events:
    since = surface.clock.now() - WINDOWS[query.text("window")] if query.text("window") else 0
    said = records.events(surface, picture, Query({**query.values, "since": int(since)}))
    found = {e.type for e in surface.history.events(limit=FACET_EVENTS)}
    types = sorted({*found, query.text("type")} - {""})
    return Events(
        said=said,
        facets=(
            *filters.scope(picture, query, "/events", EVENT_FILTERS[2:]),
            filters.facet("window", "/events", query, EVENT_FILTERS, WINDOWS),
            filters.facet("type", "/events", query, EVENT_FILTERS, types),
        ),
        resource=query.text("resource"),
        without_resource=filters.href("/events", query, [n for n in EVENT_FILTERS if n != "resource"]),
        older=filters.href("/events", query, EVENT_FILTERS, cursor=said.next_cursor) if said.next_cursor else "",
        newest=filters.href("/events", query, EVENT_FILTERS) if query.text("cursor") else "",
    )


@dataclass(frozen=True, slots=True)
class Server:
    said: views.ServerView
    edge: Edge


@dataclass(frozen=True, slots=True)
class Targets:
    servers: tuple[Server, ...]
    disk: views.CheckView | None


def targets(surface: Surface, picture: Picture, _query: Query) -> Targets:
    found = [_server(picture, key) for key in places.targets(picture)]
    checks = doctor.view(picture, surface.facts()).checks
    disk = next((c for c in checks if c.name == "disk-space"), None)
    return Targets(tuple(sorted(found, key=lambda s: (s.said.connectivity == "healthy", s.said.id))), disk)


def _server(picture: Picture, key: ResourceKey) -> Server:
    return Server(places.server_view(picture, key), picture.target(key).edge)


@dataclass(frozen=True, slots=True)
class Sources:
    sources: tuple[views.SourceView, ...]
    work: tuple[views.WorkView, ...]


def source_states(picture: Picture, _query: Query) -> Sources:
    return Sources(
        tuple(sources.source(picture, name) for name in sorted(picture.published.sources)),
        tuple(sources.work(item) for item in sorted(picture.published.work, key=lambda w: w.unit)),
    )


@dataclass(frozen=True, slots=True)
class Doctor:
    said: views.DoctorView
    wrong: tuple[views.CheckView, ...]
    skipped: tuple[views.CheckView, ...]
    passed: tuple[views.CheckView, ...]


def doctor_checks(surface: Surface, picture: Picture, _query: Query) -> Doctor:
    said = doctor.view(picture, surface.facts())
    by = {status: tuple(c for c in said.checks if c.status is status) for status in parts.CheckStatus}
    return Doctor(said, by[parts.CheckStatus.FAILED], by[parts.CheckStatus.SKIPPED], by[parts.CheckStatus.PASSED])

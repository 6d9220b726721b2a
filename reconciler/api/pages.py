"""Lists, a page at a time, and items: bodies that depend on nothing but what is published.

A page goes on after the id in ``cursor``, so that what comes and goes in between moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from reconciler.api.answers import Refused
from reconciler.api.queries import Query, shown
from reconciler.manifests.identity import ResourceKey
from reconciler.status import views
from reconciler.status.presenting import drift as drifting
from reconciler.status.presenting import places
from reconciler.status.presenting import resources as resourcing
from reconciler.status.presenting import routes as routing
from reconciler.status.presenting import sources as sourcing
from reconciler.status.presenting.picture import Picture

T = TypeVar("T")
Placed = TypeVar("Placed", views.DomainView, views.CertificateView)

WORK_STATES = ("pending", "running", "retry-scheduled", "succeeded", "failed")


def page(items: Sequence[T], query: Query, *, by: Callable[[T], str]) -> tuple[tuple[T, ...], int, str | None]:
    """The items after the cursor, how many there are in all, and the next cursor."""
    ordered = sorted(items, key=by)
    rest = [item for item in ordered if by(item) > query.text("cursor")]
    limit = query.number("limit")
    shown_now = tuple(rest[:limit])
    return shown_now, len(ordered), by(shown_now[-1]) if len(rest) > limit else None


def _in_scope(query: Query, project: str, environment: str) -> bool:
    return query.text("project") in {"", project} and query.text("environment") in {"", environment}


def _with_health(query: Query, health: str) -> bool:
    return query.text("health") in {"", health}


# --- projects, environments, servers ----------------------------------------------------------------------------------


def projects(picture: Picture, query: Query) -> views.Projects:
    found = [places.project_summary(picture, name) for name in places.projects(picture)]
    items, total, cursor = page([p for p in found if _with_health(query, p.health)], query, by=lambda p: p.id)
    return views.Projects(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def project(picture: Picture, query: Query) -> views.ProjectView:
    name = query.path["name"]
    if name not in places.projects(picture):
        raise _absent("project", name)
    return places.project_view(picture, name)


def environments(picture: Picture, query: Query) -> views.Environments:
    chosen = [e for e in places.environments(picture) if query.text("project") in {"", e[0]}]
    found = [places.environment_summary(picture, environment) for environment in chosen]
    items, total, cursor = page([e for e in found if _with_health(query, e.health)], query, by=lambda e: e.id)
    return views.Environments(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def environment(picture: Picture, query: Query) -> views.EnvironmentView:
    chosen = (query.path["project"], query.path["name"])
    if chosen not in places.environments(picture):
        raise _absent("environment", "/".join(chosen))
    return places.environment_view(picture, chosen)


def servers(picture: Picture, query: Query) -> views.Servers:
    found = [places.server_summary(picture, key) for key in places.targets(picture)]
    chosen = [s for s in found if query.text("status") in {"", s.connectivity}]
    items, total, cursor = page(chosen, query, by=lambda s: s.id)
    return views.Servers(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def server(picture: Picture, query: Query) -> views.ServerView:
    """Servers before clusters, should both have one name."""
    name = query.path["name"]
    found = sorted((k for k in places.targets(picture) if k.name == name), key=lambda k: k.kind != "Server")
    if not found:
        raise _absent("server", name)
    return places.server_view(picture, found[0])


# --- resources --------------------------------------------------------------------------------------------------------


def resources(picture: Picture, query: Query) -> views.Resources:
    keys = [
        key
        for key in picture.resources()
        if _in_scope(query, key.project, key.environment) and query.text("kind") in {"", key.kind}
    ]
    found = [resourcing.summary(picture, key) for key in keys]
    items, total, cursor = page([r for r in found if _with_health(query, r.health)], query, by=lambda r: r.id)
    return views.Resources(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def resource(picture: Picture, query: Query) -> views.ResourceView:
    return resourcing.view(picture, the_resource(picture, query))


def the_resource(picture: Picture, query: Query) -> ResourceKey:
    """The one that the path and ``environment`` name; refused when there is none, or more than one."""
    project_name, name = query.path["project"], query.path["name"]
    wanted = query.text("environment")
    found = [k for k in picture.resources() if (k.project, k.name) == (project_name, name)]
    chosen = [k for k in found if wanted in {"", k.environment}]
    if len(chosen) == 1:
        return chosen[0]
    there = ", ".join(k.environment for k in found if k.environment)
    if chosen:
        raise Refused(409, f"{project_name}/{name} is in several environments: add ?environment= one of {there}")
    raise _absent("resource", f"{project_name}/{name}", hint=f"; it is in {there}" if there else "")


def domains(picture: Picture, query: Query) -> views.Domains:
    found = [d for d in routing.domains(picture) if _in_scope(query, d.project, d.environment)]
    chosen = [d for d in found if query.text("status") in {"", d.status}]
    items, total, cursor = page(chosen, query, by=lambda d: d.id)
    return views.Domains(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def domain(picture: Picture, query: Query) -> views.DomainView:
    return _only("domain", routing.domains(picture), query)


def certificates(picture: Picture, query: Query) -> views.Certificates:
    found = [c for c in routing.certificates(picture) if _in_scope(query, c.project, c.environment)]
    items, total, cursor = page(found, query, by=lambda c: c.id)
    return views.Certificates(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def certificate(picture: Picture, query: Query) -> views.CertificateView:
    return _only("certificate", routing.certificates(picture), query)


def _only(what: str, found: Sequence[Placed], query: Query) -> Placed:
    """The one that the path and ``environment`` name; refused when there is none, or more than one."""
    project_name, name = query.path["project"], query.path["name"]
    there = [item for item in found if (item.project, item.name) == (project_name, name)]
    chosen = [item for item in there if query.text("environment") in {"", item.environment}]
    if len(chosen) == 1:
        return chosen[0]
    places_of = ", ".join(item.environment for item in there)
    if chosen:
        raise Refused(409, f"{project_name}/{name} is in several environments: add ?environment= one of {places_of}")
    raise _absent(what, f"{project_name}/{name}", hint=f"; it is in {places_of}" if there else "")


def drift(picture: Picture, query: Query) -> views.DriftItems:
    found = [item for key, item in drifting.everything(picture) if _in_scope(query, key.project, key.environment)]
    items, total, cursor = page(found, query, by=lambda d: f"{d.resource} {d.instance} {d.field} {d.wanted}")
    return views.DriftItems(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


# --- the daemon's own -------------------------------------------------------------------------------------------------


def sources(picture: Picture, query: Query) -> views.Sources:
    found = [sourcing.source(picture, name) for name in picture.published.sources]
    items, total, cursor = page(found, query, by=lambda s: s.name)
    return views.Sources(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def work(picture: Picture, query: Query) -> views.Work:
    found = [sourcing.work(item) for item in picture.published.work if query.text("status") in {"", item.status}]
    items, total, cursor = page(found, query, by=lambda w: w.unit)
    return views.Work(generated_at=picture.generated_at, items=items, total=total, next_cursor=cursor)


def _absent(what: str, name: str, *, hint: str = "") -> Refused:
    return Refused(404, f"there is no {what} {shown(name)}{hint}")

"""The page of one resource in one environment: all that is known of it, with its history and its last output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from reconciler.api import records
from reconciler.api.board import Surface
from reconciler.api.dashboard import filters
from reconciler.api.dashboard.words import resource_href
from reconciler.api.pages import the_resource
from reconciler.api.queries import Query
from reconciler.status import parts, views
from reconciler.status.presenting import resources
from reconciler.status.presenting.picture import Picture

OVER = frozenset({"stopped"})  # told last
LOG_LINES, DEPLOYMENTS, EVENTS = 60, 10, 15


@dataclass(frozen=True, slots=True)
class Output:
    """The last lines of one instance."""

    instance: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    said: views.ResourceView
    instances: tuple[parts.InstanceView, ...]
    elsewhere: tuple[filters.Choice, ...]
    deployments: tuple[views.DeploymentSummary, ...]
    events: tuple[views.EventView, ...]
    logs: tuple[Output, ...]
    log_errors: tuple[str, ...]
    events_href: str
    plan_href: str


def resource(surface: Surface, picture: Picture, query: Query) -> Resource:
    key = the_resource(picture, query)
    scope = {"project": key.project, "environment": key.environment, "resource": key.name}
    path = {"project": key.project, "name": key.name}
    logs = records.logs(surface, picture, Query({"environment": key.environment, "tail": LOG_LINES}, path))
    said = resources.view(picture, key)
    instances = sorted(said.instances, key=lambda i: (i.state in OVER, i.name))
    return Resource(
        said=said,
        instances=tuple(instances),
        elsewhere=siblings(picture, key.project, key.name, key.environment),
        deployments=records.deployments(surface, picture, Query(scope | {"limit": DEPLOYMENTS})).items,
        events=records.events(surface, picture, Query(scope | {"kind": "Resource", "limit": EVENTS})).items,
        logs=outputs(logs, [i.name for i in instances]),
        log_errors=logs.source_errors,
        events_href=f"/events?{urlencode(scope)}",
        plan_href=f"/plan?{urlencode({'project': key.project, 'environment': key.environment})}",
    )


def siblings(picture: Picture, project: str, name: str, now: str = "") -> tuple[filters.Choice, ...]:
    """The same resource in every environment."""
    found = [k for k in picture.resources() if (k.project, k.name) == (project, name) and k.environment]
    return tuple(
        filters.Choice(k.environment, resource_href(project, k.environment, name), chosen=k.environment == now)
        for k in found
    )


def outputs(logs: views.LogsView, order: Sequence[str]) -> tuple[Output, ...]:
    """By instance, in this order; what has printed and is no instance any more comes last."""
    lines: dict[str, list[str]] = {}
    for line in logs.lines:
        lines.setdefault(line.instance, []).append(line.text)
    names = [*(name for name in order if name in lines), *(name for name in lines if name not in order)]
    return tuple(Output(name, tuple(lines[name])) for name in names)

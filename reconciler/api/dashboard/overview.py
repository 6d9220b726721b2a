"""The first page: every project and environment, worst first, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from reconciler.api.dashboard import filters, standing
from reconciler.api.queries import Query
from reconciler.status import health, summary, views
from reconciler.status.parts import Overall
from reconciler.status.presenting import places
from reconciler.status.presenting.picture import Picture

QUIET_ROWS = 25

_ORDER = {word: place for place, word in enumerate(health.WORST_FIRST)}


@dataclass(frozen=True, slots=True)
class Place:
    """One environment; ``more`` says how many quiet resources are only counted."""

    environment: views.EnvironmentSummary
    resources: tuple[views.ResourceSummary, ...]
    more: int
    href: str


@dataclass(frozen=True, slots=True)
class Area:
    project: views.ProjectSummary
    places: tuple[Place, ...]
    href: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the bar of healths, in hundredths of its width."""

    word: Overall
    count: int
    start: float
    width: float
    href: str


@dataclass(frozen=True, slots=True)
class Overview:
    said: views.StatusView
    headline: str
    shares: tuple[Share, ...]
    areas: tuple[Area, ...]
    facets: tuple[filters.Filter, ...]
    filtered: bool


def overview(picture: Picture, query: Query) -> Overview:
    project, environment, word = query.text("project"), query.text("environment"), query.text("health")
    said = summary.view(picture, project=project, environment=environment)
    chosen = [r for r in said.resources if word in {"", r.health}]
    whole = bool(project and environment) or bool(word)
    return Overview(
        said=said,
        headline=standing.headline(r.health for r in said.resources),
        shares=_shares(said.counts, query),
        areas=tuple(_areas(picture, chosen, query, whole=whole)),
        facets=filters.scope(picture, query, "/", ("health",)),
        filtered=bool(project or environment or word),
    )


def _shares(counts: Mapping[Overall, int], query: Query) -> tuple[Share, ...]:
    total, start, found = sum(counts.values()), 0.0, []
    for word, count in counts.items():
        width = 100 * count / total
        href = filters.href("/", query, ("project", "environment", "health"), health=word.value)
        found.append(Share(word, count, round(start, 3), round(width, 3), href))
        start += width
    return tuple(found)


def _areas(picture: Picture, chosen: list[views.ResourceSummary], query: Query, *, whole: bool) -> list[Area]:
    project, environment = query.text("project"), query.text("environment")
    here = {(r.project, r.environment) for r in chosen}
    if not query.text("health"):
        declared = set(places.environments(picture))
        here |= {e for e in declared if project in {"", e[0]} and environment in {"", e[1]}}
    areas = [
        Area(
            project=places.project_summary(picture, name),
            places=tuple(sorted((_place(picture, e, chosen, whole=whole) for e in here if e[0] == name), key=_rank)),
            href=filters.href("/", query, ("health",), project=name),
        )
        for name in {project for project, _ in here}
    ]
    return sorted(areas, key=lambda a: (_ORDER[a.project.health], a.project.name))


def _rank(place: Place) -> tuple[int, str]:
    return _ORDER[place.environment.health], place.environment.name


def _place(picture: Picture, key: tuple[str, str], chosen: list[views.ResourceSummary], *, whole: bool) -> Place:
    mine = [r for r in chosen if (r.project, r.environment) == key]
    loud = [r for r in mine if r.health is not Overall.HEALTHY or r.ready != "True"]
    kept = mine if whole else mine[: max(len(loud), QUIET_ROWS)]
    href = f"/?{urlencode({'project': key[0], 'environment': key[1]})}" if key[1] else ""
    return Place(places.environment_summary(picture, key), tuple(kept), len(mine) - len(kept), href)

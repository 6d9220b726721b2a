"""Filters of a page, as links: nothing here takes input, so that no form is needed and every view has an address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from reconciler.api.queries import Query
from reconciler.status.presenting import places
from reconciler.status.presenting.picture import Picture


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a filter."""

    label: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    choices: tuple[Choice, ...]


def href(path: str, query: Query, keep: Iterable[str], **changes: str) -> str:
    kept = {name: query.text(name) for name in keep} | changes
    asked = urlencode({name: text for name, text in kept.items() if text})
    return f"{path}?{asked}" if asked else path


def facet(name: str, path: str, query: Query, others: Iterable[str], values: Iterable[str]) -> Filter:
    keep = [other for other in others if other != name]
    now = query.text(name)
    every = Choice("all", href(path, query, keep), chosen=not now)
    found = (Choice(v, href(path, query, keep, **{name: v}), chosen=v == now) for v in values)
    return Filter(name, (every, *found))


def scope(picture: Picture, query: Query, path: str, others: tuple[str, ...]) -> tuple[Filter, ...]:
    known = places.environments(picture)
    projects = sorted({p for p, _ in known})
    wanted = query.text("project")
    environments = sorted({e for p, e in known if wanted in {"", p}})
    kept = ("project", "environment", *others)
    made = (
        facet("project", path, query, kept, projects),
        facet("environment", path, query, kept, environments),
    )
    return tuple(f for f in made if len(f.choices) > 2 or not f.choices[0].chosen)

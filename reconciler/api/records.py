"""Bodies that depend on more than what is published: the ledger's history, and what programs print."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from reconciler.api.answers import Refused
from reconciler.api.board import Surface
from reconciler.api.pages import the_resource
from reconciler.api.queries import Query, shown
from reconciler.desired.names import instance_name
from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import ResourceKey
from reconciler.status import views
from reconciler.status.presenting import history
from reconciler.status.presenting.picture import Picture
from reconciler.status.records import Deployment, Event

Record = TypeVar("Record", Event, Deployment)
Before = TypeVar("Before", int, str)

SCAN = 500
BATCHES = 20


def now(surface: Surface) -> datetime:
    return datetime.fromtimestamp(round(surface.clock.now(), 3), tz=UTC)


def matches_scope(query: Query, key: ResourceKey | None) -> bool:
    """Whether a record's resource is in the scope that was asked for."""
    wanted = {part: query.text(part) for part in ("project", "environment", "kind", "resource") if query.text(part)}
    if key is None:
        return not wanted
    having = {"project": key.project, "environment": key.environment, "kind": key.kind, "resource": key.name}
    return all(having[part] == text for part, text in wanted.items())


def _exact(query: Query) -> ResourceKey | None:
    """The key to look up by, where the scope says it whole; else everything is read and sifted."""
    project, name = query.text("project"), query.text("resource")
    kind = query.text("kind") or "Resource"
    return ResourceKey(kind, project, name, query.text("environment")) if project and name else None


def _sifted(
    read: Callable[[Before], list[Record]], query: Query, *, start: Before, after: Callable[[Record], Before]
) -> tuple[list[Record], Record | None]:
    """Records in scope, newest first, and the one to go on after (None at the end). Reads a bounded number of them:
    a page may be short, or empty, and still not be the last."""
    limit, kept, before, last = query.number("limit"), list[Record](), start, None
    for _ in range(BATCHES):
        batch = read(before)
        for record in batch:
            if not matches_scope(query, record.key):
                continue
            if len(kept) == limit:
                return kept, kept[-1]
            kept.append(record)
        if len(batch) < SCAN:
            return kept, None
        last = batch[-1]
        before = after(last)
    return kept, last


def events(surface: Surface, _picture: Picture, query: Query) -> views.Events:
    """Newest first."""

    def read(before: int) -> list[Event]:
        return surface.history.events(
            key=_exact(query),
            type=query.text("type"),
            since=float(query.number("since")),
            before=before,
            limit=SCAN,
        )

    found, last = _sifted(read, query, start=int(query.text("cursor") or 0), after=lambda e: e.id)
    items = tuple(history.event(e) for e in found)
    return views.Events(generated_at=now(surface), items=items, next_cursor=str(last.id) if last else None)


def deployments(surface: Surface, _picture: Picture, query: Query) -> views.Deployments:
    """Newest first."""

    def read(before: str) -> list[Deployment]:
        return surface.history.deployments(key=_exact(query), status=query.text("status"), before=before, limit=SCAN)

    found, last = _sifted(read, query, start=query.text("cursor"), after=lambda d: d.id)
    items = tuple(history.deployment(d) for d in found)
    return views.Deployments(generated_at=now(surface), items=items, next_cursor=last.id if last else None)


def deployment(surface: Surface, _picture: Picture, query: Query) -> views.DeploymentView:
    found = surface.history.deployment(query.path["id"])
    if found is None:
        raise Refused(404, f"there is no deployment {shown(query.path['id'])}")
    return history.deployment_view(found, generated_at=now(surface))


# --- logs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Output:
    """Something whose output can be read: an instance, or a failed candidate that was removed."""

    target: ResourceKey
    name: str


def chosen_outputs(picture: Picture, query: Query) -> tuple[ResourceKey, list[Output]]:
    """The resource, and those of its instances that were asked for: by digest, or by the digits in their names. The
    candidates of a release that failed are among them, though they are gone: they had the last word."""
    key = the_resource(picture, query)
    release = query.text("release")
    named = {i.name: (i.generation, i.unit.target) for i in picture.instances.get(key, [])}
    workload, progress = picture.workloads.get(key), picture.published.progress.get(key)
    if workload is not None and progress is not None and progress.failed:
        for ordinal in range(workload.replicas):
            named.setdefault(instance_name(workload, ordinal), (workload.generation, workload.unit.target))
    chosen = [n for n, (generation, _) in sorted(named.items()) if generation.startswith(release) or f"-{release}" in n]
    return key, [Output(named[name][1], name) for name in chosen]


def logs(surface: Surface, picture: Picture, query: Query) -> views.LogsView:
    """The last lines of every instance. One that cannot be read is named, and the others are shown."""
    key, outputs = chosen_outputs(picture, query)
    tail = query.number("tail")
    lines: list[views.LogLine] = []
    errors: list[str] = []
    for output in outputs:
        try:
            lines += _lines(output, surface.logs.logs(output.target, output.name, tail=tail), tail=tail)
        except ReconcilerError as failed:
            errors.append(f"{output.name}: {failed}")
    return views.LogsView(
        generated_at=now(surface), resource=str(key), tail=tail, lines=tuple(lines), source_errors=tuple(errors)
    )


def _lines(output: Output, texts: Iterable[str], *, tail: int) -> list[views.LogLine]:
    read = [views.LogLine(instance=output.name, text=text.rstrip("\r\n")) for text in texts]
    return read[-tail:] if tail else []

"""Where manifests come from: what was seen, what is applied, what is written wrong; and the queue that works on it."""

from __future__ import annotations

from reconciler.manifests.problem import Problem
from reconciler.status import parts, views
from reconciler.status.masking import clear
from reconciler.status.presenting.picture import Picture, instant
from reconciler.status.published import SourceState, WorkItem

NEXT_ACTION = {"failed": "diagnostic", "retry-scheduled": "retry", "dead-lettered": "manual-review"}


def source(picture: Picture, name: str) -> views.SourceView:
    state = picture.published.sources[name]
    return views.SourceView(
        name=state.name,
        kind=state.kind,
        location=clear(state.location),
        ref=state.ref,
        revision=parts.Revisions(seen=state.seen, applied=state.applied, blocked=state.blocked),
        author=state.author,
        subject=state.subject,
        committed_at=instant(state.committed_at),
        checked_at=instant(state.checked_at),
        error=clear(state.error),
        problems=problems(picture, state),
        ignored={path: why for (of, path), why in sorted(picture.published.catalog.ignored.items()) if of == name},
    )


def problems(picture: Picture, state: SourceState) -> tuple[parts.ProblemView, ...]:
    """Everything written wrong in it. A problem names no source: it is told by its path where there are several."""
    published = picture.published
    found = sorted({*published.catalog.problems, *published.desired.problems})
    if len(published.sources) > 1:
        revision = published.catalog.revisions.get(state.name)
        files = revision.files if revision else {}
        found = [p for p in found if p.place.path in files]
    return tuple(problem(p) for p in found)


def problem(found: Problem) -> parts.ProblemView:
    return parts.ProblemView(place=str(found.place), field=found.field, message=clear(found.message))


def work(item: WorkItem) -> views.WorkView:
    return views.WorkView(
        unit=str(item.unit),
        kind="route-realization" if item.unit.is_furniture else "deployment",
        status=item.status,
        next_action=NEXT_ACTION.get(item.status, "no-action"),
        trigger=item.trigger,
        attempts=item.attempts,
        started_at=instant(item.started_at),
        finished_at=instant(item.finished_at),
        due_at=instant(item.due_at),
        error=clear(item.error),
    )

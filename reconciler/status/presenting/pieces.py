"""The small parts that several views share: actions, waits, blocks, gates, conditions, instances."""

from __future__ import annotations

from datetime import timedelta

from reconciler.manifests.identity import API_VERSION, ResourceKey, UnitKey
from reconciler.manifests.problem import Position
from reconciler.observed.snapshot import Instance
from reconciler.plan.actions import Action, Block, Gate, HeldAction, Verb, Wait
from reconciler.status import parts
from reconciler.status.conditions import Condition, ConditionType
from reconciler.status.masking import clear, hides
from reconciler.status.presenting.picture import Picture, instant


def path(key: ResourceKey) -> str:
    """``project/environment/name``: how a resource is called where its kind is plain."""
    return "/".join(part for part in (key.project, key.environment, key.name) if part)


def place(position: Position | None) -> str:
    """file:line:column, or "" when nobody knows."""
    return str(position) if position is not None and position.path else ""


def where(key: ResourceKey | None) -> str:
    """A target as ``Server/name``."""
    return str(key) if key is not None else ""


def condition(said: Condition) -> parts.ConditionView:
    return parts.ConditionView(
        type=said.type.value,
        status=said.status.value,
        reason=said.reason,
        message=clear(said.message),
        since=instant(said.since),
        revision=said.revision,
    )


def conditions(picture: Picture, subject: ResourceKey | UnitKey) -> tuple[parts.ConditionView, ...]:
    return tuple(condition(c) for c in picture.published.conditions.get(subject, ()))


def ready(picture: Picture, subject: ResourceKey | UnitKey) -> Condition | None:
    found = picture.published.conditions.get(subject, ())
    return next((c for c in found if c.type is ConditionType.READY), None)


def instance(seen: Instance) -> parts.InstanceView:
    return parts.InstanceView(
        name=seen.name,
        release=seen.release,
        generation=seen.generation,
        ordinal=seen.ordinal,
        state=seen.state.value,
        health=seen.health.value,
        pid=seen.pid,
        exits=seen.exits,
        ports=dict(sorted(seen.ports.items())),
        detail=clear(seen.detail),
        note=seen.note,
        since=instant(seen.since),
    )


def action(picture: Picture, step: Action) -> parts.ActionView:
    return parts.ActionView(
        unit=str(step.unit),
        resource=str(step.key),
        verb=step.verb.value,
        name=step.name,
        cause=_cause(picture, step),
        drift=step.drift,
    )


def _cause(picture: Picture, step: Action) -> str:
    """In the plan's words; where these quote a field that is a secret, the fields alone."""
    found = picture.published.differences.get(step.name, ())
    if step.verb is Verb.UPDATE and any(hides(d.field, picture.workloads.get(step.key)) for d in found):
        return f"changed: {', '.join(d.field for d in found)}"
    return clear(step.cause)


def wait(open_wait: Wait) -> parts.WaitView:
    return parts.WaitView(resource=str(open_wait.key), message=clear(open_wait.what), until=instant(open_wait.until))


def block(picture: Picture, said: Block) -> parts.BlockView:
    return parts.BlockView(
        resource=str(said.key),
        reason=said.reason,
        message=why_blocked(picture, said),
        manifest=manifest(picture, said.key),
    )


def unreadable(picture: Picture, key: ResourceKey) -> str:
    """What is wrong in the documents that say what is wanted of it, its own first; "" when nothing is known of that."""
    catalog = picture.published.catalog
    own, project = key.written, ResourceKey("Project", "", key.project)
    environment = ResourceKey("Environment", key.project, key.environment)
    for identity in (own, environment, project):
        paths = {path for (_, path), keys in catalog.declared_by.items() if identity in keys}
        found = [problem for problem in catalog.problems if problem.place.path in paths]
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return f"{found[0]}{more}"
    return ""


def why_blocked(picture: Picture, said: Block) -> str:
    """The block's own words; where a document cannot be read, what is wrong with it."""
    problem = unreadable(picture, said.key) if said.reason == "DesiredUnknown" else ""
    return clear(f"{problem}; until it is mended, what runs is left as it is" if problem else said.message)


def held(picture: Picture, kept: HeldAction) -> parts.HeldView:
    return parts.HeldView(action=action(picture, kept.action), reason=kept.reason)


def gate(picture: Picture, unit: UnitKey, closed: Gate) -> parts.GateView:
    return parts.GateView(
        unit=str(unit),
        reason=closed.reason.value,
        source=closed.source,
        digest=closed.digest,
        count=len(closed.identities),
        identities=tuple(str(key) for key in closed.identities),
        message=clear(closed.message),
        fix=_approval(picture, closed),
    )


def _approval(picture: Picture, closed: Gate) -> str:
    """An Approval that opens the gate for a day, ready to commit."""
    expires = (picture.generated_at + timedelta(days=1)).replace(microsecond=0)
    return (
        f"apiVersion: {API_VERSION}\nkind: Approval\nmetadata: {{name: {closed.reason.value}-{closed.digest[:8]}}}\n"
        f'spec: {{gate: "{closed.digest}", reason: "say why", expiresAt: "{expires:%Y-%m-%dT%H:%M:%SZ}"}}\n'
    )


def manifest(picture: Picture, key: ResourceKey) -> str:
    """Where an identity is written: its own document, else that of what refuses it."""
    workload = picture.workloads.get(key)
    if workload is not None and workload.place.path:
        return str(workload.place)
    document = picture.published.catalog.documents.get(key.written)
    if document is not None:
        return place(document.place())
    return next((place(b.problem.place) for b in picture.refused.get(key, ())), "")

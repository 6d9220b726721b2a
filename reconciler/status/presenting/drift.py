"""Why it is not in sync: every field that differs from what is declared, with what a person can do about it."""

from __future__ import annotations

from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Instance
from reconciler.plan.actions import Action, Difference
from reconciler.status.masking import MASK, clear, hides
from reconciler.status.parts import DriftView
from reconciler.status.presenting import pieces
from reconciler.status.presenting.picture import Picture


def of(picture: Picture, key: ResourceKey) -> tuple[DriftView, ...]:
    """Differing fields of the resource's instances, then what the plan repairs of it."""
    fields = [
        _field(picture, instance, difference)
        for instance in picture.instances.get(key, [])
        for difference in picture.published.differences.get(instance.name, ())
    ]
    repairs = [_repair(picture, action) for action in picture.actions.get(key, []) if action.drift]
    held = [_repair(picture, h.action) for h in picture.held.get(key, []) if h.action.drift]
    return (*fields, *repairs, *held)


def everything(picture: Picture) -> list[tuple[ResourceKey, DriftView]]:
    """Of all resources, by key."""
    keys = sorted({*picture.instances, *picture.actions, *picture.held})
    return [(key, item) for key in keys for item in of(picture, key)]


def _field(picture: Picture, instance: Instance, difference: Difference) -> DriftView:
    hidden = hides(difference.field, picture.workloads.get(instance.key))
    return DriftView(
        resource=str(instance.key),
        instance=instance.name,
        field=difference.field,
        wanted=_shown(difference.wanted, hidden=hidden),
        live=_shown(difference.live, hidden=hidden),
        changed_by="unknown: changed on the target, not through git",
        manifest=_written(picture, instance.key, difference.field),
        ignore=f"ignore: [{difference.field}]",
    )


def _repair(picture: Picture, action: Action) -> DriftView:
    return DriftView(
        resource=str(action.key),
        instance=action.name,
        field="instance",
        wanted=action.verb.value,
        live=clear(action.cause),
        changed_by="unknown: changed on the target, not through git",
        manifest=pieces.manifest(picture, action.key),
    )


def _shown(value: str, *, hidden: bool) -> str:
    return MASK if hidden and value else clear(value)


def _written(picture: Picture, key: ResourceKey, field: str) -> str:
    """Where the wanted value is written, as exactly as it is known."""
    workload = picture.workloads.get(key)
    origin = workload.origins.get(field.rpartition(".")[2]) if workload else None
    document = picture.published.catalog.documents.get(key.written)
    if origin is not None:
        return pieces.place(origin.place)
    if document is not None:
        return pieces.place(document.place("spec", *field.split(".")))
    return pieces.manifest(picture, key)

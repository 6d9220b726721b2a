"""Every resource in every environment it exists in: merged, validated, and placed; or why that cannot be done."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.merge import Layer, layers_of, merged
from reconciler.desired.objects import DesiredBlock, TargetObject
from reconciler.desired.policies import target_key
from reconciler.desired.scope import Candidate, Place, Unplannable
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.kinds.resource import ResourceSpec
from reconciler.manifests.location import Fault, dotted
from reconciler.manifests.problem import Problem
from reconciler.manifests.support import unsupported
from reconciler.manifests.validation import validate

UNSUPPORTED = "Unsupported"
INVALID = "InvalidManifest"


def candidates_of(
    catalog: Catalog, places: list[Place]
) -> tuple[dict[ResourceKey, Candidate], list[DesiredBlock], list[ResourceKey]]:
    """The candidates by expanded identity, blocks for those that cannot be, and every identity that is declared."""
    found: dict[ResourceKey, Candidate] = {}
    blocks: list[DesiredBlock] = []
    declared: list[ResourceKey] = []
    for place in places:
        for document in _resources(catalog, place):
            key = document.key.within(place.name)
            declared.append(key)
            try:
                found[key] = _candidate(catalog, document, place, key)
            except Unplannable as refusal:
                unit = _unit(place, key)
                blocks += [DesiredBlock(key, unit, refusal.reason, problem) for problem in refusal.problems]
    return found, blocks, declared


def _resources(catalog: Catalog, place: Place) -> Iterator[Document]:
    """The resources of a project that exist in an environment; ``environments`` is inherited like the rest."""
    for key, document in sorted(catalog.documents.items()):
        if key.kind == "Resource" and key.project == place.project.key.name:
            wanted = merged(layers_of(catalog, document, ""), {}).get("environments")
            if wanted is None or place.name in wanted:
                yield document


def _unit(place: Place, key: ResourceKey) -> UnitKey | None:
    target = target_key(place.spec.target)
    return UnitKey(target, key.project, key.environment) if target in place.targets else None


def _candidate(catalog: Catalog, document: Document, place: Place, key: ResourceKey) -> Candidate:
    layers = layers_of(catalog, document, place.name)
    defaults = place.project.raw.get("defaults") or {}
    checked = validate(ResourceSpec, merged(layers, defaults), path="/")
    if checked.value is None:
        raise Unplannable(INVALID, [_located(layers, fault) for fault in checked.faults])
    waiting = [*unsupported("Resource", checked.value), *unsupported("Environment", place.spec)]
    target = _target(document, place, checked.value)
    if waiting:
        raise Unplannable(UNSUPPORTED, [_located(layers, fault) for fault in waiting])
    return Candidate(key, document, checked.value, place, target)


def _target(document: Document, place: Place, spec: ResourceSpec) -> TargetObject:
    placement = spec.target or place.spec.target
    found = place.targets.get(target_key(placement))
    if found is None:
        where = document.place("spec", "target") if spec.target else place.environment.place("spec", "target")
        name = placement.server or placement.cluster
        raise Unplannable("TargetUnknown", [Problem(where, "spec.target", f"there is no usable target {name}")])
    return found


def _located(layers: list[Layer], fault: Fault) -> Problem:
    """A fault of the merged spec, at the place of the highest layer that wrote the field."""
    inner = fault.location[1:]
    for layer in reversed(layers):
        if not inner or inner[0] in layer.tree:
            return Problem(layer.document.place(*layer.at, *inner), dotted(fault.location), fault.message)
    return Problem(layers[-1].document.place(*fault.location), dotted(fault.location), fault.message)

"""A catalog and the facts -> everything that is wanted. The one door into this room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.desired.candidates import UNSUPPORTED, candidates_of
from reconciler.desired.certificates import certificates_of
from reconciler.desired.evidence import Question
from reconciler.desired.facts import Facts
from reconciler.desired.objects import (
    ApprovalObject,
    Desired,
    DesiredBlock,
    Held,
    RouteObject,
    Tree,
    UnitPolicy,
    VolumeObject,
    Workload,
)
from reconciler.desired.policies import places_of, targets_of, unit_of, unit_policy
from reconciler.desired.routes import addresses_of, routes_of
from reconciler.desired.scope import Candidate, Place, Unplannable
from reconciler.desired.volumes import Mounted, volumes_of
from reconciler.desired.workloads import Shaping, Surroundings, is_planned
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.kinds.approval import ApprovalSpec
from reconciler.manifests.kinds.base import epoch_seconds
from reconciler.manifests.location import dotted
from reconciler.manifests.problem import Problem
from reconciler.manifests.support import unsupported


def assemble(catalog: Catalog, facts: Facts) -> Desired:
    """What is wanted, of all units. What cannot be planned as written is a block, and holds what runs."""
    targets = targets_of(catalog)
    places = list(places_of(catalog, targets))
    candidates, blocks, expanded = candidates_of(catalog, places)
    running = {key: candidate for key, candidate in candidates.items() if is_planned(candidate)}
    volumes = {mounted.key: mounted for mounted in volumes_of(catalog, running)}
    blocks += _misused(volumes.values())
    certificates = certificates_of(catalog, places, facts)
    routed = routes_of(catalog, running, certificates, facts)
    around = Surroundings(catalog, facts, candidates, volumes)
    blocks += routed.blocks
    workloads, trees, refused = _workloads(around, running, routed.routes, {block.key for block in blocks})
    blocks += [*refused, *_unsupported_kinds(catalog)]
    planned = {workload.key for workload in workloads}
    objects = [made for mounted in volumes.values() if (made := mounted.object()) is not None]
    return Desired(
        revisions={name: revision.id for name, revision in catalog.revisions.items()},
        workloads=tuple(workloads),
        volumes=tuple(objects),
        routes=tuple(r for r in (*routed.routes, *addresses_of(workloads)) if r.resource in planned),
        certificates=tuple(certificates.objects[key] for key in sorted(certificates.objects)),
        answers={question: facts.answers[question] for question in _asked(routed.routes) & facts.answers.keys()},
        targets=targets,
        units=_units(places, candidates),
        declared=_declared(catalog, expanded, objects),
        deleted=frozenset(key for key, c in candidates.items() if c.spec.desired_state == "deleted"),
        renamed=_renamed(catalog, running, objects),
        named=catalog.missing,
        projects=frozenset(key.name for key in catalog.documents if key.kind == "Project"),
        environments=frozenset((place.project.key.name, place.name) for place in places),
        held=_held(catalog, facts),
        blocks=tuple(sorted(set(blocks), key=lambda b: (b.key, b.problem))),
        approvals=tuple(_approvals(catalog)),
        trees=trees,
        problems=tuple(sorted({*catalog.problems, *certificates.problems, *routed.problems})),
    )


def _asked(routes: Iterable[RouteObject]) -> set[Question]:
    owned = (route.binding.ownership.question for route in routes if route.binding is not None)
    return {question for question in owned if question is not None}


def _workloads(
    around: Surroundings,
    running: Mapping[ResourceKey, Candidate],
    routes: Iterable[RouteObject],
    blocked: set[ResourceKey],
) -> tuple[list[Workload], dict[str, Tree], list[DesiredBlock]]:
    made: list[Workload] = []
    trees: dict[str, Tree] = {}
    refused: list[DesiredBlock] = []
    for key, candidate in sorted(running.items()):
        if key in blocked:
            continue
        try:
            led_to = frozenset(route.port for route in routes if route.resource == key and route.port)
            workload, tree = Shaping(around, candidate, led_to).workload()
        except Unplannable as refusal:
            refused += [DesiredBlock(key, candidate.unit, refusal.reason, p) for p in refusal.problems]
        else:
            made.append(workload)
            trees[tree.id] = tree
    return made, trees, refused


def _misused(volumes: Iterable[Mounted]) -> list[DesiredBlock]:
    return [
        DesiredBlock(user.key, user.unit, "NotPossible", problem)
        for mounted in volumes
        for user, problem in mounted.problems()
    ]


def _unsupported_kinds(catalog: Catalog) -> list[DesiredBlock]:
    """Documents of kinds, and with fields, that this version does nothing with yet: said, never ignored."""
    found = []
    for key, document in sorted(catalog.documents.items()):
        if key.kind != "Resource":
            for fault in unsupported(key.kind, document.spec):
                problem = Problem(document.place(*fault.location), dotted(fault.location), fault.message)
                found.append(DesiredBlock(key, None, UNSUPPORTED, problem))
    return found


def _units(places: Iterable[Place], candidates: Mapping[ResourceKey, Candidate]) -> dict[UnitKey, UnitPolicy]:
    """The policy of every unit: each environment's own target, and where its resources were sent otherwise."""
    found: dict[UnitKey, UnitPolicy] = {}
    for place in places:
        own = [c for c in candidates.values() if c.place == place]
        for target in {c.target.key: c.target for c in own}.values():
            found[unit_of(place, target)] = unit_policy(place, target)
    return dict(sorted(found.items()))


def _declared(
    catalog: Catalog, expanded: Iterable[ResourceKey], volumes: Iterable[VolumeObject]
) -> dict[ResourceKey, str]:
    found = {key: document.source for key, document in catalog.documents.items()}
    found |= {key: catalog.documents[key.written].source for key in expanded}
    found |= {volume.key: volume.source for volume in volumes}
    return dict(sorted(found.items()))


def _renamed(
    catalog: Catalog, running: Mapping[ResourceKey, Candidate], volumes: Iterable[VolumeObject]
) -> dict[ResourceKey, ResourceKey]:
    found = {}
    for key in [*running, *(volume.key for volume in volumes)]:
        document = catalog.documents.get(key.written)
        old = document.metadata.get("renamedFrom") if document is not None else None
        if old:
            found[ResourceKey(key.kind, key.project, old, key.environment)] = key
    return dict(sorted(found.items()))


def _held(catalog: Catalog, facts: Facts) -> Held:
    """Broken documents hold their identity; a broken Project, Environment or Server all that is below it."""
    broken = set(catalog.broken)
    return Held(
        keys=frozenset(broken),
        projects=frozenset(key.name for key in broken if key.kind == "Project"),
        environments=frozenset((key.project, key.name) for key in broken if key.kind == "Environment"),
        targets=frozenset(key for key in broken if key.kind in {"Server", "Cluster"}),
        sources=catalog.opaque | facts.unread,
    )


def _approvals(catalog: Catalog) -> list[ApprovalObject]:
    return [
        ApprovalObject(
            key.name,
            document.spec.gate,
            document.spec.reason,
            epoch_seconds(document.spec.expires_at),
            source=document.source,
            place=document.place("spec"),
        )
        for key, document in sorted(catalog.documents.items())
        if isinstance(document.spec, ApprovalSpec)
    ]

"""One published value with a time to judge ages by, indexed once so that no view searches through everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from reconciler.desired.objects import DesiredBlock, RouteObject, VolumeObject, Workload
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import BLIND, Address, Collection, Instance, Target
from reconciler.plan.actions import Action, Block, Gate, HeldAction, Wait
from reconciler.status.health import freshness
from reconciler.status.parts import Freshness
from reconciler.status.published import Published

T = TypeVar("T")

RESOURCE = "Resource"


@dataclass(frozen=True, slots=True)
class Picture:
    """``units`` says where each resource is: as declared, else as applied, else as seen."""

    published: Published
    now: float
    workloads: Mapping[ResourceKey, Workload]
    units: Mapping[ResourceKey, UnitKey]
    instances: Mapping[ResourceKey, list[Instance]]
    addresses: Mapping[ResourceKey, list[Address]]
    volumes: Mapping[ResourceKey, VolumeObject]
    routes: Mapping[ResourceKey, list[RouteObject]]
    refused: Mapping[ResourceKey, list[DesiredBlock]]
    waits: Mapping[ResourceKey, list[Wait]]
    blocks: Mapping[ResourceKey, list[Block]]
    held: Mapping[ResourceKey, list[HeldAction]]
    actions: Mapping[ResourceKey, list[Action]]
    gates: Mapping[ResourceKey, list[tuple[UnitKey, Gate]]]

    def target(self, key: ResourceKey | None) -> Target:
        """What was seen of a target; blind when it never was looked at."""
        return self.published.snapshot.get(key, BLIND) if key else BLIND

    def target_of(self, key: ResourceKey) -> Target:
        unit = self.units.get(key)
        return self.target(unit.target if unit else None)

    def knows(self, key: ResourceKey) -> bool:
        """Whether the list of this resource's instances is complete."""
        return key in self.units and self.target_of(key).knows(Collection.INSTANCES)

    def observed_at(self, target: ResourceKey | None) -> datetime | None:
        return instant(self.target(target).observed_at)

    def freshness(self, target: ResourceKey | None) -> Freshness:
        return freshness(self.target(target), now=self.now)

    def resources(self) -> list[ResourceKey]:
        """Every resource there is or was meant to be, in every environment, sorted; one whose document cannot be used
        stands as written, unless something is known of it in an environment."""
        expanded = {key for key in self.units if key.kind == RESOURCE and key.environment}
        known = {key.written for key in expanded}
        damaged = {*self.refused, *self.published.catalog.broken}
        return sorted(expanded | {k for k in damaged if k.kind == RESOURCE and k.written not in known})

    @property
    def generated_at(self) -> datetime:
        """When it was made: ages are told from there, also while nothing new is published."""
        return instant(self.now) or datetime.fromtimestamp(0, tz=UTC)


def picture(published: Published, *, now: float) -> Picture:
    """``now`` is in epoch seconds."""
    desired, plans = published.desired, published.plans.values()
    seen = [i for t in published.snapshot.values() for i in t.instances.values() if i.ours]
    found = [a for t in published.snapshot.values() for a in t.addresses.values()]
    return Picture(
        published=published,
        now=now,
        workloads={w.key: w for w in desired.workloads},
        units=_units(published, seen),
        instances=grouped(sorted(seen, key=lambda i: i.name), by=lambda i: i.key),
        addresses=grouped(sorted(found, key=lambda a: (a.port_name, a.ordinal)), by=lambda a: a.key),
        volumes={v.key: v for v in desired.volumes},
        routes=grouped(desired.routes, by=lambda r: r.resource),
        refused=grouped(desired.blocks, by=lambda b: b.key),
        waits=grouped(sorted({w for p in plans for w in p.waits}), by=lambda w: w.key),
        blocks=grouped(_blocks(published), by=lambda b: b.key),
        held=grouped((h for p in plans for h in p.held), by=lambda h: h.action.key),
        actions=grouped((a for p in plans for a in p.actions), by=lambda a: a.key),
        gates=_gates(published),
    )


def _units(published: Published, seen: Iterable[Instance]) -> dict[ResourceKey, UnitKey]:
    units = {i.key: i.unit for i in seen}
    units |= {entry.key: unit for unit, entries in published.inventory.items() for entry in entries.values()}
    units |= {b.key: b.unit for b in published.desired.blocks if b.unit is not None}
    return units | {w.key: w.unit for w in published.desired.workloads}


def _blocks(published: Published) -> list[Block]:
    """What the plans say, and what was refused before there was anything to plan; each thing once."""
    said = {(b.key, b.reason): b for b in (Block(d.key, d.reason, str(d.problem)) for d in published.desired.blocks)}
    said |= {(b.key, b.reason): b for p in published.plans.values() for b in p.blocks}
    return [said[name] for name in sorted(said)]


def _gates(published: Published) -> dict[ResourceKey, list[tuple[UnitKey, Gate]]]:
    gates: dict[ResourceKey, list[tuple[UnitKey, Gate]]] = defaultdict(list)
    for unit, plan in sorted(published.plans.items()):
        for gate in plan.gates:
            for key in gate.identities:
                gates[key].append((unit, gate))
    return dict(gates)


def grouped(items: Iterable[T], *, by: Callable[[T], ResourceKey]) -> dict[ResourceKey, list[T]]:
    """Items by key, in their order."""
    groups: dict[ResourceKey, list[T]] = defaultdict(list)
    for item in items:
        groups[by(item)].append(item)
    return dict(groups)


def instant(seconds: float | None) -> datetime | None:
    """Epoch seconds as a time in UTC, to the millisecond; 0 and None are no time."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC) if seconds else None

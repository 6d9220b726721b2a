"""What all passes share: one immutable value, replaced under one lock, and what is published of it.

Whoever changes something hands in a function from the old value to the new one. A change that a reader should notice
makes the serial grow; a fresher look at the same things (a *quiet* change) does not. Nothing here does I/O.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from reconciler.desired.objects import Desired
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Snapshot
from reconciler.plan.actions import ApprovalRecord, Claims, Difference, Plan, Progress
from reconciler.ports import Clock, Remembered
from reconciler.status.conditions import Condition
from reconciler.status.published import Published, SourceState, WorkItem

Subject = ResourceKey | UnitKey
Key = TypeVar("Key")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class World:
    """``edition`` grows with each new desired state; ``planned`` is the edition that each unit's plan was made for."""

    edition: int = 0
    desired: Desired = Desired()
    catalog: Catalog = Catalog()
    snapshot: Snapshot = field(default_factory=dict)
    units: tuple[UnitKey, ...] = ()
    inventory: Inventory = field(default_factory=dict)
    progress: Mapping[UnitKey, Mapping[ResourceKey, Progress]] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    approvals: Mapping[str, ApprovalRecord] = field(default_factory=dict)
    conditions: Mapping[Subject, tuple[Condition, ...]] = field(default_factory=dict)
    plans: Mapping[UnitKey, Plan] = field(default_factory=dict)
    planned: Mapping[UnitKey, int] = field(default_factory=dict)
    differences: Mapping[UnitKey, Mapping[str, tuple[Difference, ...]]] = field(default_factory=dict)
    sources: Mapping[str, SourceState] = field(default_factory=dict)
    holds: frozenset[Subject] = frozenset()

    @property
    def settled(self) -> bool:
        """Every unit has had a pass in this daemon's life. Before the first look at the sources nothing has."""
        return self.edition > 0 and all(unit in self.planned for unit in self.units)

    def current(self, unit: UnitKey) -> bool:
        """The unit's latest plan speaks of the latest desired state."""
        return self.planned.get(unit) == self.edition


def remembered_world(memory: Remembered) -> World:
    """The world as the ledger knows it, before anything was read or looked at."""
    return World(
        inventory=memory.inventory,
        progress=memory.progress,
        approvals=memory.approvals,
        conditions=memory.conditions,
        holds=memory.holds,
        units=tuple(sorted(memory.inventory)),
    )


def with_item(mapping: Mapping[Key, Item], key: Key, item: Item) -> Mapping[Key, Item]:
    """The mapping with one item replaced; the very same mapping when that item is there already."""
    return mapping if key in mapping and mapping[key] == item else {**mapping, key: item}


def with_approvals(
    known: Mapping[str, ApprovalRecord], records: tuple[ApprovalRecord, ...]
) -> Mapping[str, ApprovalRecord]:
    """Records merged by name: the units that used one only ever grow."""
    merged = dict(known)
    for record in records:
        merged[record.name] = record.over(merged.get(record.name))
    return known if merged == known else merged


def with_inventory(inventory: Inventory, unit: UnitKey, entries: Mapping[ResourceKey, Entry]) -> Inventory:
    """The inventory with one unit's entries replaced; a unit without entries is no part of it."""
    if entries:
        return with_item(inventory, unit, entries)
    return {key: kept for key, kept in inventory.items() if key != unit} if unit in inventory else inventory


def with_conditions(
    conditions: Mapping[Subject, tuple[Condition, ...]], changed: Mapping[Subject, tuple[Condition, ...]]
) -> Mapping[Subject, tuple[Condition, ...]]:
    """The conditions with some subjects' replaced; an empty tuple forgets a subject."""
    merged = {**conditions, **changed} if changed else conditions
    return {subject: said for subject, said in merged.items() if said} if changed else conditions


class Board:
    """Holds the world and publishes it. Readers never wait for a pass: they get the value that is there."""

    def __init__(
        self, world: World, clock: Clock, *, instance_id: str = "", work: Callable[[], tuple[WorkItem, ...]] = tuple
    ) -> None:
        self._changed = threading.Condition()
        self._clock = clock
        self._work = work
        base = Published(started_at=clock.now(), generated_at=clock.now(), instance_id=instance_id)
        self._now = (world, base)  # swapped together, so that nobody needs the lock to read them
        self._view: tuple[World, Published] | None = None

    def read(self) -> World:
        """The world as it is now."""
        return self._now[0]

    def change(self, step: Callable[[World], World], *, quiet: bool = False) -> World:
        """Replaces the world by ``step`` of it, and says what it is now. A step that gives back the same value, and a
        quiet one, leave the serial as it is. The step runs under the lock: it must be short and must not block."""
        with self._changed:
            before, base = self._now
            world = step(before)
            if world is not before and not quiet:
                base = replace(base, serial=base.serial + 1, generated_at=self._clock.now())
                self._changed.notify_all()
            self._now = (world, base)
            return world

    def published(self) -> Published:
        """What the read surface is a function of, made when somebody asks; the queue's items are of this moment."""
        world, base = self._now
        view = self._view
        if view is None or view[0] is not world:
            self._view = view = (world, _published(world, base))
        return replace(view[1], work=self._work())

    def wait(self, serial: int, timeout: float) -> Published:
        """Returns as soon as there is another serial than ``serial``, else after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._now[1].serial != serial, timeout)
        return self.published()


def _published(world: World, base: Published) -> Published:
    return replace(
        base,
        settled=world.settled,
        desired=world.desired,
        catalog=world.catalog,
        snapshot=world.snapshot,
        inventory=world.inventory,
        plans=world.plans,
        progress=_flat_progress(world),
        differences={name: found for unit in world.differences.values() for name, found in unit.items()},
        conditions=world.conditions,
        sources=world.sources,
        holds=world.holds,
    )


def _flat_progress(world: World) -> Mapping[ResourceKey, Progress]:
    """By identity alone. A resource that moves has progress in two units; the one that wants it now is shown."""
    at_home = {workload.key: workload.unit for workload in world.desired.workloads}
    flat: dict[ResourceKey, Progress] = {}
    for unit in sorted(world.progress):
        for key, said in world.progress[unit].items():
            if key not in flat or at_home.get(key) == unit:
                flat[key] = said
    return flat

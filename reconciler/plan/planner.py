"""One unit: everything that is known, in; the plan of the next safe steps, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Snapshot
from reconciler.plan.actions import ApprovalRecord, Claims, Difference, Plan, Progress


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a pass may look at. ``differences`` is by instance name; ``holds`` are what ``reconciler hold`` named;
    ``now`` is in epoch seconds."""

    desired: Desired
    snapshot: Snapshot
    now: float
    inventory: Inventory = field(default_factory=dict)
    progress: Mapping[ResourceKey, Progress] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)
    approvals: Mapping[str, ApprovalRecord] = field(default_factory=dict)
    holds: frozenset[ResourceKey | UnitKey] = frozenset()


def units(desired: Desired, inventory: Inventory, snapshot: Snapshot) -> list[UnitKey]:
    """Every unit that has, had, or still shows something; furniture units included. Sorted."""
    raise NotImplementedError


def plan(unit: UnitKey, inputs: Inputs) -> Plan:
    """The plan of one unit."""
    raise NotImplementedError

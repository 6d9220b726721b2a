"""The pure functions that a pass calls, in one value, so that a test can put others in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.apply.executor import Outcome
from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Snapshot
from reconciler.plan.actions import Plan
from reconciler.plan.planner import Inputs
from reconciler.status.conditions import Condition
from reconciler.status.records import Deployment, Event


class Planning(Protocol):
    def __call__(self, unit: UnitKey, inputs: Inputs) -> Plan: ...


class Census(Protocol):
    def __call__(self, desired: Desired, inventory: Inventory, snapshot: Snapshot) -> list[UnitKey]: ...


class Judging(Protocol):
    """The conditions of a unit and of everything in it; ``since`` is kept where the status is."""

    def __call__(
        self,
        unit: UnitKey,
        inputs: Inputs,
        plan: Plan,
        previous: Mapping[ResourceKey | UnitKey, tuple[Condition, ...]],
    ) -> Mapping[ResourceKey | UnitKey, tuple[Condition, ...]]: ...


class Telling(Protocol):
    """What history should know of a pass: events, and deployments that began or ended."""

    def __call__(
        self, unit: UnitKey, inputs: Inputs, plan: Plan, outcomes: Sequence[Outcome]
    ) -> tuple[Sequence[Event], Sequence[Deployment]]: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides, and what puts it into words."""

    plan: Planning
    units: Census
    judge: Judging
    tell: Telling

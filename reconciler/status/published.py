"""What the daemon publishes: one immutable value, replaced whole after a pass that changed something.

The read surface is a function of this value and of the ledger's history. It never waits for a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Snapshot
from reconciler.plan.actions import Difference, Plan, Progress
from reconciler.status.conditions import Condition


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source: what was seen last, what was applied last, and what is wrong with it. Times in epoch seconds."""

    name: str
    kind: str  # git | directory
    location: str
    ref: str = ""
    seen: str = ""  # newest revision that was read
    applied: str = ""  # newest revision whose every unit has settled
    blocked: str = ""  # newest revision that something of is blocked
    checked_at: float = 0.0
    error: str = ""
    author: str = ""
    subject: str = ""
    committed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One unit in the queue. ``status`` is pending, running, retry-scheduled, succeeded or failed."""

    unit: UnitKey
    status: str
    attempts: int = 0
    started_at: float = 0.0
    finished_at: float = 0.0
    due_at: float = 0.0
    trigger: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """``serial`` grows by one with each replacement and is the ETag of everything that depends on nothing else."""

    serial: int = 0
    generated_at: float = 0.0
    started_at: float = 0.0
    instance_id: str = ""
    settled: bool = False  # every unit has had a pass since the start
    desired: Desired = Desired()
    catalog: Catalog = Catalog()
    snapshot: Snapshot = field(default_factory=dict)
    inventory: Inventory = field(default_factory=dict)
    plans: Mapping[UnitKey, Plan] = field(default_factory=dict)
    progress: Mapping[ResourceKey, Progress] = field(default_factory=dict)
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)
    conditions: Mapping[ResourceKey | UnitKey, tuple[Condition, ...]] = field(default_factory=dict)
    sources: Mapping[str, SourceState] = field(default_factory=dict)
    work: tuple[WorkItem, ...] = ()
    holds: frozenset[ResourceKey | UnitKey] = frozenset()

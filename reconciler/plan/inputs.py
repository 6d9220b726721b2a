"""All that a pass may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.desired.objects import Desired, TargetObject
from reconciler.inventory import Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import BLIND, Snapshot, Target
from reconciler.plan.actions import ApprovalRecord, Claims, Difference, Progress
from reconciler.plan.stamps import recognised
from reconciler.plan.targets import known_targets


@dataclass(frozen=True, slots=True)
class Inputs:
    """``progress`` is the unit's own; ``differences`` is by instance name; ``holds`` are what ``reconciler hold``
    named; ``now`` is in epoch seconds. A target that is absent from ``snapshot`` is unknown."""

    desired: Desired
    snapshot: Snapshot
    now: float
    inventory: Inventory = field(default_factory=dict)
    progress: Mapping[ResourceKey, Progress] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    differences: Mapping[str, tuple[Difference, ...]] = field(default_factory=dict)
    approvals: Mapping[str, ApprovalRecord] = field(default_factory=dict)
    holds: frozenset[ResourceKey | UnitKey] = frozenset()

    def __post_init__(self) -> None:
        """Instances stamped under an older digest key count as stamped under the newest: a new key replaces nothing."""
        object.__setattr__(self, "snapshot", recognised(self.snapshot, self.desired))

    def seen(self, target: ResourceKey) -> Target:
        """What was seen of a target; everything is unknown when nothing was."""
        return self.snapshot.get(target, BLIND)

    def known(self, target: ResourceKey) -> TargetObject | None:
        """A target that is declared, or that something of ours is still on."""
        return known_targets(self.desired, self.inventory).get(target)

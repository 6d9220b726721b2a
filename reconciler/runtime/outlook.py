"""The whole way without a daemon: what would be done from here, by looking only. Nothing is written or supervised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.desired.objects import Desired, TargetObject, Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import BLIND, Target
from reconciler.plan.actions import Difference
from reconciler.plan.render import Outset, Way, whole_way
from reconciler.plan.targets import known_targets
from reconciler.ports import Remembered, TargetDriver


@dataclass(frozen=True, slots=True)
class Outlook:
    """``way`` is what would happen if everything went well; ``unseen`` says by target why it could not be looked at."""

    desired: Desired
    way: Way
    unseen: Mapping[ResourceKey, str]


def differences(
    driver: TargetDriver, workloads: Iterable[Workload], target: Target
) -> dict[str, tuple[Difference, ...]]:
    """How instances of the wanted generations are not as declared, by name; those that are as declared are left out."""
    found = {
        instance.name: driver.compare(workload, instance)
        for workload in workloads
        for instance in target.of(workload.key)
        if instance.generation == workload.generation
    }
    return {name: said for name, said in found.items() if said}


def look_ahead(
    desired: Desired, memory: Remembered, driver_for: Callable[[TargetObject], TargetDriver], *, now: float
) -> Outlook:
    """From what is wanted and remembered, over one look at every target. A target that cannot be seen is unknown."""
    snapshot: dict[ResourceKey, Target] = {}
    found: dict[str, tuple[Difference, ...]] = {}
    for key, described in sorted(known_targets(desired, memory.inventory).items()):
        try:
            driver = driver_for(described)
            snapshot[key] = driver.observe()
        except Exception as error:  # noqa: BLE001 - whatever an adapter raises, its target is unknown and not empty
            snapshot[key] = replace(BLIND, trouble=str(error))
            continue
        found |= differences(driver, [w for w in desired.workloads if w.unit.target == key], snapshot[key])
        driver.close()
    outset = Outset(
        snapshot=snapshot,
        now=now,
        inventory=memory.inventory,
        progress=memory.progress,
        claims={},
        differences=found,
        approvals=memory.approvals,
        holds=memory.holds,
    )
    unseen = {key: target.trouble for key, target in snapshot.items() if target.unknown}
    return Outlook(desired, whole_way(desired, outset), unseen)

"""Stamps under older digest keys: the same secrets, told in another hand."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.objects import Desired, Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Instance, Snapshot, Target


def recognised(snapshot: Snapshot, desired: Desired) -> Snapshot:
    """The snapshot with every instance whose stamp verifies under an older key stamped as it is wanted now."""
    aged = {w.key: w for w in desired.workloads if w.older_stamps}
    return {key: _of_target(target, aged) for key, target in snapshot.items()} if aged else snapshot


def _of_target(target: Target, aged: dict[ResourceKey, Workload]) -> Target:
    return replace(target, instances={name: _of_instance(i, aged.get(i.key)) for name, i in target.instances.items()})


def _of_instance(instance: Instance, workload: Workload | None) -> Instance:
    same = workload is not None and instance.release == workload.release and instance.stamp in workload.older_stamps
    return replace(instance, stamp=workload.stamp) if same and workload is not None else instance

"""Which instances of a resource should get traffic: one pure function, so that nobody has to agree with anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.desired.objects import Workload
from reconciler.observed.snapshot import Health, Instance


def complete(workload: Workload, instances: Iterable[Instance]) -> bool:
    """Every replica of the generation that is wanted is healthy; of a static site there is none."""
    good = {i.ordinal for i in instances if i.generation == workload.generation and i.good}
    return set(range(workload.replicas)) <= good


def serving(
    workload: Workload | None,
    instances: Sequence[Instance],
    *,
    routed: frozenset[str] = frozenset(),
    failed: bool = False,
    leaving: frozenset[str] = frozenset(),
) -> frozenset[str] | None:
    """The names that should be in the route; None: leave it as it is.

    The observed route is the memory: what was once chosen stays until it is seen down. ``failed`` is the verdict over
    the wanted generation (without it environment and furniture wait for each other for ever); ``leaving`` are
    instances that are about to be stopped, and go first when somebody else serves.
    """
    if workload is None or not workload.running:
        return frozenset()
    usable = [i for i in instances if i.good or _held_by_route(i, routed)]
    mine = [i for i in usable if i.generation == workload.generation and i.ordinal < workload.replicas]
    others = [i for i in usable if i.generation != workload.generation]
    if failed and others:
        mine = []
    elif _covers(workload, mine):
        return _names(mine)
    if workload.rollout.stop_first and (mine or others):
        return _names([i for i in mine + others if i.name not in leaving]) or _names(mine + others)
    return _one_generation(workload, instances, mine=mine, others=others, routed=routed)


def _one_generation(
    workload: Workload,
    instances: Sequence[Instance],
    *,
    mine: list[Instance],
    others: list[Instance],
    routed: frozenset[str],
) -> frozenset[str] | None:
    """Start-first: exactly one generation serves; the new one takes over only when it is whole."""
    current = {i.generation for i in instances if i.name in routed}
    if mine and workload.generation in current:
        return _names(mine)
    kept = [i for i in others if i.generation in current] or ([] if mine else others)
    if kept:
        newest = max(kept, key=lambda i: (i.created, i.name)).generation
        return _names([i for i in kept if i.generation == newest])
    return _names(mine) if mine else None


def _held_by_route(instance: Instance, routed: frozenset[str]) -> bool:
    """Unknown takes nobody out, and lets nobody in."""
    return instance.up and instance.health is Health.UNKNOWN and instance.name in routed


def _covers(workload: Workload, instances: Iterable[Instance]) -> bool:
    return set(range(workload.replicas)) <= {i.ordinal for i in instances}


def _names(instances: Iterable[Instance]) -> frozenset[str]:
    return frozenset(i.name for i in instances)

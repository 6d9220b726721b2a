"""Health in one word: of a resource from its instances, of an environment, project or daemon from what is in it.

Unknown is never healthy, and a missing observation is never an exit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.desired.objects import Workload
from reconciler.observed.snapshot import Collection, Health, Instance, State, Target
from reconciler.plan.actions import Progress
from reconciler.status.parts import Connectivity, Freshness, Lifecycle, Overall

LIVE_SECONDS = 30.0
RECENT_SECONDS = 300.0

WORST_FIRST = (
    Overall.UNHEALTHY,
    Overall.DEGRADED,
    Overall.UNKNOWN,
    Overall.STARTING,
    Overall.NOT_DEPLOYED,
    Overall.STOPPED,
    Overall.HEALTHY,
)


def relevant(instances: Sequence[Instance], generations: frozenset[str]) -> list[Instance]:
    """The instances that say something of now: what is up, and what should be. Stopped old releases say nothing."""
    now = [i for i in instances if i.up or i.generation in generations]
    return now or list(instances)


def generations(workload: Workload | None, progress: Progress | None) -> frozenset[str]:
    """The generations that are wanted or being rolled out."""
    return frozenset(g for g in (workload and workload.generation, progress and progress.generation) if g)


def overall(
    workload: Workload | None, progress: Progress | None, instances: Sequence[Instance], *, known: bool
) -> Overall:
    """``instances`` are all that are ours; ``known`` says that the list is complete."""
    if not known:
        return Overall.UNKNOWN
    seen = relevant(instances, generations(workload, progress))
    up = [i for i in seen if i.up]
    if workload is None or not workload.running:
        return _judge(up, wanted=1) if up else _absent(seen)
    if not seen:
        return Overall.NOT_DEPLOYED
    judged = _judge(seen, wanted=workload.replicas)
    failed = progress is not None and progress.failed
    if failed and judged is Overall.HEALTHY:
        return Overall.DEGRADED
    return Overall.UNHEALTHY if failed and judged is Overall.STARTING else judged


def of_site(workload: Workload, target: Target, *, known: bool) -> tuple[Overall, Lifecycle]:
    """A static site runs nothing: it is as healthy as its route, which serves the files that are wanted, or others."""
    if not known:
        return Overall.UNKNOWN, Lifecycle.UNKNOWN
    served = {r.shape.static for r in target.routes.values() if r.resource == workload.key and r.shape.static}
    if not workload.running:
        return (Overall.HEALTHY, Lifecycle.RUNNING) if served else (Overall.STOPPED, Lifecycle.STOPPED)
    if workload.template.artifact.name in served:
        return Overall.HEALTHY, Lifecycle.RUNNING
    return (Overall.STARTING, Lifecycle.STARTING) if served else (Overall.NOT_DEPLOYED, Lifecycle.NOT_DEPLOYED)


def _absent(seen: Sequence[Instance]) -> Overall:
    return Overall.STOPPED if seen else Overall.NOT_DEPLOYED


def _judge(seen: Sequence[Instance], *, wanted: int) -> Overall:
    good = sum(i.good for i in seen)
    sick = any(i.sick for i in seen)
    if good >= wanted and not sick:
        return Overall.HEALTHY
    if good:
        return Overall.DEGRADED
    if sick:
        return Overall.UNHEALTHY
    if any(i.up and i.health is Health.UNKNOWN for i in seen):
        return Overall.UNKNOWN
    return Overall.STARTING if any(i.up or i.state is State.CREATED for i in seen) else Overall.STOPPED


def lifecycle(
    workload: Workload | None, progress: Progress | None, instances: Sequence[Instance], *, known: bool
) -> Lifecycle:
    """What the runtime is doing; an exited program that its engine starts again is ``restarting``."""
    if not known:
        return Lifecycle.UNKNOWN
    seen = relevant(instances, generations(workload, progress))
    if not seen:
        return Lifecycle.NOT_DEPLOYED
    exited = any(i.state is State.EXITED for i in seen)
    if any(i.up for i in seen):
        return _running(seen, exited=exited)
    if exited:
        return Lifecycle.RESTARTING if workload is not None and workload.running else Lifecycle.EXITED
    return Lifecycle.STARTING if any(i.state is State.CREATED for i in seen) else Lifecycle.STOPPED


def _running(seen: Sequence[Instance], *, exited: bool) -> Lifecycle:
    up = [i for i in seen if i.up]
    if exited or any(i.sick for i in up):
        return Lifecycle.DEGRADED
    return Lifecycle.STARTING if all(i.health is Health.STARTING for i in up) else Lifecycle.RUNNING


def worst(healths: Iterable[Overall]) -> Overall:
    """The worst of many; deliberately stopped ones count only when there is nothing else."""
    present = set(healths)
    awake = present - {Overall.STOPPED} or present
    return next((h for h in WORST_FIRST if h in awake), Overall.NOT_DEPLOYED)


def counts(healths: Iterable[Overall]) -> dict[Overall, int]:
    """How many of each, worst first; words that do not occur are left out."""
    tally = Counter(healths)
    return {h: tally[h] for h in WORST_FIRST if tally[h]}


def connectivity(target: Target | None) -> Connectivity:
    """Whether a target answers: all of it, some of it, nothing of it, or nobody has asked yet."""
    if target is None:
        return Connectivity.UNKNOWN
    if not target.unknown:
        return Connectivity.HEALTHY
    return Connectivity.UNREACHABLE if target.unknown == frozenset(Collection) else Connectivity.DEGRADED


def freshness(target: Target | None, *, now: float) -> Freshness:
    """By the age of the observation (``now`` in epoch seconds)."""
    if target is None or not target.observed_at:
        return Freshness.UNKNOWN
    age = now - target.observed_at
    if age <= LIVE_SECONDS:
        return Freshness.LIVE
    return Freshness.RECENT_SAMPLE if age <= RECENT_SECONDS else Freshness.STALE

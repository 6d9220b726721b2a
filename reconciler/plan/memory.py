"""What a pass remembers of a resource: brought forward to the generation that is wanted now.

It knows more only by seeing more: acceptance is seen, a verdict is on record here or on the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.desired.objects import Workload
from reconciler.observed.snapshot import Instance, Verdict
from reconciler.plan.actions import Progress


def brought_forward(
    workload: Workload,
    old: Progress | None,
    *,
    instances: Sequence[Instance],
    verdict: Verdict | None,
    accepted_now: bool,
    now: float,
) -> Progress:
    """The progress that this pass begins with."""
    progress = _for_generation(workload, old, now)
    if progress.failed and progress.token != workload.reconcile_token:
        progress = replace(progress, failed=False, message="", since=0.0, began=now)
    if not progress.accepted and verdict is not None and _speaks_of(verdict, workload):
        progress = replace(progress, failed=True, message=verdict.message, token=verdict.token)
    progress = _forget_unseen(progress, instances)
    if accepted_now and not progress.failed:
        progress = replace(progress, accepted=True, message="")
    if not progress.since and any(i.generation == workload.generation for i in instances):
        progress = replace(progress, since=now)
    return progress


def is_stale(verdict: Verdict, workload: Workload) -> bool:
    """A verdict on the target that speaks of another generation, or of an earlier reconcileToken."""
    return not _speaks_of(verdict, workload)


def _for_generation(workload: Workload, old: Progress | None, now: float) -> Progress:
    if old is None:
        return Progress(workload.generation, since=0.0, began=now, token=workload.reconcile_token)
    if old.generation == workload.generation:
        return old
    superseded = frozenset() if old.accepted else frozenset({old.generation})
    return Progress(
        workload.generation,
        since=0.0,
        began=now,
        previous=old.generation if old.accepted else old.previous,
        token=workload.reconcile_token,
        rejected=(old.rejected | superseded) - {workload.generation},
        drains=old.drains,
        leaving=old.leaving,
    )


def _speaks_of(verdict: Verdict, workload: Workload) -> bool:
    return verdict.generation == workload.generation and verdict.token == workload.reconcile_token


def _forget_unseen(progress: Progress, instances: Sequence[Instance]) -> Progress:
    seen = {i.generation for i in instances}
    up = {i.name for i in instances if i.up}
    return replace(
        progress,
        rejected=progress.rejected & seen,
        leaving=progress.leaving & up,
        drains={name: since for name, since in sorted(progress.drains.items()) if name in up},
    )

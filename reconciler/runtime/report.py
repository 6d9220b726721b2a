"""What one convergence came to, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.observed.snapshot import Health, JobState, Snapshot
from reconciler.plan.actions import Plan
from reconciler.runtime.world import World
from reconciler.status.judge import HARMLESS
from reconciler.status.published import WorkItem


@dataclass(frozen=True, slots=True)
class Report:
    """``converged``: everything is as declared. ``lines`` say what is not, worst first."""

    converged: bool
    lines: tuple[str, ...] = ()


def in_motion(snapshot: Snapshot) -> bool:
    """Whether something on a target will soon tell more by itself: a job that runs, an instance that was not asked yet
    or has just started. Passes wait for that without a time of their own."""
    return any(
        any(job.state is JobState.RUNNING and job.ours for job in target.jobs.values())
        or any(i.up and i.ours and i.health in (Health.STARTING, Health.UNKNOWN) for i in target.instances.values())
        for target in snapshot.values()
    )


def report(world: World, items: Sequence[WorkItem], *, idle: bool) -> Report:
    """How things stand when nothing can go on, or (not ``idle``) when the time was over."""
    lines = [
        *(f"source {name}: {state.error}" for name, state in sorted(world.sources.items()) if state.error),
        *(str(problem) for problem in sorted({*world.catalog.problems, *world.desired.problems})),
        *(str(block.problem) for block in world.desired.blocks if block.problem not in world.catalog.problems),
        *(f"{item.unit}: {item.error}" for item in items if item.error),
        *(line for unit in sorted(world.plans) for line in _open(world.plans[unit])),
    ]
    if not idle:
        lines.append("the time was over before everything had settled")
    return Report(converged=not lines, lines=tuple(dict.fromkeys(lines)))


def _open(plan: Plan) -> Iterator[str]:
    yield from (
        f"{block.key}: blocked: {block.reason}: {block.message}"
        for block in plan.blocks
        if block.reason not in HARMLESS
    )
    yield from (f"{plan.unit}: needs an Approval of gate {gate.digest}: {gate.message}" for gate in plan.gates)
    yield from (f"{wait.key}: waits for {wait.what}" for wait in plan.waits)
    yield from (f"{held.action.key}: {held.action.verb} held: {held.reason}" for held in plan.held)
    yield from (f"{action.key}: {action.verb} {action.name} is still to be done" for action in plan.actions)

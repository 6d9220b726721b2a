"""From a plan to conditions: what is true of a unit and of everything in it, in words for a tired person.

A condition's ``since`` moves only when its status does. Reasons are the words of ``Reason`` and those of blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.desired.objects import Workload
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.once import grouped
from reconciler.observed.snapshot import Instance, Target
from reconciler.plan.actions import Block, Plan
from reconciler.plan.inputs import Inputs
from reconciler.plan.serving import complete
from reconciler.status.conditions import Condition, ConditionType, Reason, Truth

Subject = ResourceKey | UnitKey
Conditions = Mapping[Subject, tuple[Condition, ...]]

_T = TypeVar("_T")

HARMLESS = frozenset({"DataRetained"})
"""Blocks that are told and stop nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """A condition before it is given its time and revision."""

    type: ConditionType
    status: Truth
    reason: str
    message: str


def judge(unit: UnitKey, inputs: Inputs, plan: Plan, previous: Conditions) -> Conditions:
    """The conditions of the unit and of everything in it; an empty tuple for what is no longer there."""
    now, judged = inputs.now, dict[Subject, tuple[Condition, ...]]()
    workloads, own = {w.key: w for w in inputs.desired.workloads if w.unit == unit}, _shares(plan)
    for key in sorted(_subjects(unit, inputs, plan)):
        said = _of_resource(key, workloads.get(key), inputs, own(key))
        revision = inputs.desired.revisions.get(inputs.desired.declared.get(key, ""), "")
        judged[key] = _timed(said, previous.get(key, ()), now, revision)
    whole = _of_unit(unit, inputs, plan, judged)
    judged[unit] = _timed(whole, previous.get(unit, ()), now, ", ".join(sorted(inputs.desired.revisions.values())))
    if unit.is_furniture:
        judged[unit.target] = judged[unit]
    elsewhere = _elsewhere(unit, inputs)
    judged.update({gone: () for gone in previous if gone not in judged and _left(gone, unit, elsewhere)})
    return judged


def _shares(plan: Plan) -> Callable[[ResourceKey], Plan]:
    """The part of a plan that speaks of one resource; all of it, where nothing could be looked at."""
    if plan.inventory is None:
        return lambda _: plan
    blocks, waits = grouped(plan.blocks, by=lambda b: b.key), grouped(plan.waits, by=lambda w: w.key)
    actions, held = grouped(plan.actions, by=lambda a: a.key), grouped(plan.held, by=lambda h: h.action.key)
    quiet = replace(plan, blocks=(), waits=(), actions=(), held=())
    spoken = {*blocks, *waits, *actions, *held}

    def of(key: ResourceKey) -> Plan:
        if key not in spoken:
            return quiet
        return replace(
            plan,
            blocks=tuple(blocks.get(key, ())),
            waits=tuple(waits.get(key, ())),
            actions=tuple(actions.get(key, ())),
            held=tuple(held.get(key, ())),
        )

    return of


def _subjects(unit: UnitKey, inputs: Inputs, plan: Plan) -> set[ResourceKey]:
    """What is in the unit, planned, on record or blocked; what is planned elsewhere is judged there."""
    if unit.is_furniture:
        return set()
    entries = plan.inventory if plan.inventory is not None else inputs.inventory.get(unit, {})
    here = {w.key for w in inputs.desired.workloads if w.unit == unit} | set(entries)
    here |= {b.key for b in inputs.desired.blocks if b.unit == unit}
    elsewhere = {w.key for w in inputs.desired.workloads if w.unit != unit}
    return here - elsewhere


def _left(subject: Subject, unit: UnitKey, elsewhere: AbstractSet[ResourceKey]) -> bool:
    if isinstance(subject, UnitKey) or unit.is_furniture:
        return False
    inside = (subject.project, subject.environment) == (unit.project, unit.environment)
    return inside and subject.kind in {"Resource", "Volume"} and subject not in elsewhere


def _elsewhere(unit: UnitKey, inputs: Inputs) -> AbstractSet[ResourceKey]:
    """What is planned or on record in another unit, which speaks of it."""
    planned = {w.key for w in inputs.desired.workloads if w.unit != unit}
    return planned.union(*(entries for other, entries in inputs.inventory.items() if other != unit))


# --- one resource ----------------------------------------------------------------------------------------------------


def _of_resource(key: ResourceKey, workload: Workload | None, inputs: Inputs, plan: Plan) -> list[Said]:
    """``plan`` is the part that speaks of it."""
    target = inputs.seen(plan.unit.target)
    block = _first(plan.blocks)
    if plan.inventory is None:
        return _unknown(plan)
    reconciling = _reconciling(plan)
    stalled = _stalled(block)
    if key.kind != "Resource" or workload is None:
        ready = _ready_by_block(block, reconciling)
        return [ready, reconciling, stalled]
    instances = target.of(key)
    healthy = _healthy(workload, instances, target)
    in_sync = _in_sync(workload, instances, inputs, plan)
    return [_ready(workload, healthy, block, reconciling), reconciling, stalled, in_sync, healthy]


def _unknown(plan: Plan) -> list[Said]:
    block = _first(plan.blocks)
    message = block.message if block is not None else "the target could not be looked at"
    return [
        Said(type_, Truth.UNKNOWN, Reason.UNKNOWN, message)
        for type_ in (ConditionType.READY, ConditionType.IN_SYNC, ConditionType.HEALTHY)
    ]


def _reconciling(plan: Plan) -> Said:
    if plan.actions:
        first = plan.actions[0]
        message = f"{first.verb} {first.name}: {first.cause}"
        return Said(ConditionType.RECONCILING, Truth.TRUE, Reason.PROGRESSING, message)
    if plan.waits:
        message = f"waits for {', '.join(dict.fromkeys(w.what for w in plan.waits))}"
        return Said(ConditionType.RECONCILING, Truth.TRUE, Reason.WAITING, message)
    if plan.held:
        kept = plan.held[0]
        message = f"{kept.action.verb} {kept.action.name} is planned and not applied"
        return Said(ConditionType.RECONCILING, Truth.FALSE, kept.reason, message)
    return Said(ConditionType.RECONCILING, Truth.FALSE, Reason.SETTLED, "nothing to do")


def _stalled(block: Block | None) -> Said:
    if block is None or block.reason in HARMLESS:
        return Said(ConditionType.STALLED, Truth.FALSE, Reason.SETTLED, "")
    return Said(ConditionType.STALLED, Truth.TRUE, block.reason, block.message)


def _ready_by_block(block: Block | None, reconciling: Said) -> Said:
    if block is not None and block.reason not in HARMLESS:
        return Said(ConditionType.READY, Truth.FALSE, block.reason, block.message)
    if reconciling.status is Truth.TRUE:
        return Said(ConditionType.READY, Truth.FALSE, reconciling.reason, reconciling.message)
    message = block.message if block is not None else ""
    return Said(ConditionType.READY, Truth.TRUE, block.reason if block is not None else Reason.READY, message)


def _ready(workload: Workload, healthy: Said, block: Block | None, reconciling: Said) -> Said:
    """Ready is the whole of it: at the wanted generation, healthy, and nothing in the way."""
    if block is not None and block.reason not in HARMLESS:
        return Said(ConditionType.READY, Truth.FALSE, block.reason, block.message)
    if healthy.status is not Truth.TRUE:
        sick = healthy.reason in {Reason.CRASH_LOOP, Reason.UNHEALTHY}
        said = healthy if sick or reconciling.status is not Truth.TRUE else reconciling
        return Said(ConditionType.READY, Truth.FALSE, said.reason, said.message)
    if not workload.running:
        return Said(ConditionType.READY, Truth.TRUE, Reason.STOPPED, healthy.message)
    return Said(ConditionType.READY, Truth.TRUE, Reason.READY, healthy.message)


def _served(workload: Workload, target: Target) -> Said:
    """A static site is healthy when a route serves the files that are wanted."""
    artifact = workload.template.artifact.name
    served = [r.id for r in target.routes.values() if r.resource == workload.key and r.shape.static == artifact]
    if served:
        return Said(ConditionType.HEALTHY, Truth.TRUE, Reason.HEALTHY, f"served as {', '.join(sorted(served))}")
    there = artifact in target.artifacts
    message = "no route serves it yet" if there else "its files are not there yet"
    return Said(ConditionType.HEALTHY, Truth.FALSE, Reason.STARTING, message)


def _healthy(workload: Workload, instances: list[Instance], target: Target) -> Said:
    wanted = [i for i in instances if i.generation == workload.generation and i.ordinal < workload.replicas]
    if not workload.running:
        up = [i for i in instances if i.up]
        status, message = (Truth.FALSE, f"{up[0].name} still runs") if up else (Truth.TRUE, "stopped, as declared")
        return Said(ConditionType.HEALTHY, status, Reason.STOPPED, message)
    if workload.static:
        return _served(workload, target)
    if complete(workload, instances):
        return Said(ConditionType.HEALTHY, Truth.TRUE, Reason.HEALTHY, _count(workload, wanted))
    sick = _first(i for i in wanted if i.sick)
    if sick is not None:
        reason = Reason.CRASH_LOOP if sick.exits else Reason.UNHEALTHY
        return Said(ConditionType.HEALTHY, Truth.FALSE, reason, f"{sick.name}: {sick.detail or sick.health}")
    return Said(ConditionType.HEALTHY, Truth.FALSE, Reason.STARTING, _count(workload, wanted))


def _count(workload: Workload, wanted: list[Instance]) -> str:
    return f"{sum(1 for i in wanted if i.good)} of {workload.replicas} healthy"


def _in_sync(workload: Workload, instances: list[Instance], inputs: Inputs, plan: Plan) -> Said:
    own, reported = list(plan.actions), [held.action for held in plan.held]
    drift = _first(a for a in [*own, *reported] if a.drift)
    if drift is not None:
        return Said(ConditionType.IN_SYNC, Truth.FALSE, Reason.DRIFTED, drift.cause)
    for instance in instances:
        for found in inputs.differences.get(instance.name, ()):
            message = f"{found.field}: wanted {found.wanted or 'unset'}, live {found.live or 'unset'}"
            return Said(ConditionType.IN_SYNC, Truth.FALSE, Reason.DRIFTED, message)
    if own or reported:
        first = (own or reported)[0]
        return Said(ConditionType.IN_SYNC, Truth.FALSE, Reason.OUT_OF_SYNC, f"{first.verb} {first.name}: {first.cause}")
    there = {i.ordinal for i in instances if i.generation == workload.generation}
    if workload.running and not set(range(workload.replicas)) <= there:
        return Said(ConditionType.IN_SYNC, Truth.FALSE, Reason.OUT_OF_SYNC, "the wanted release does not run yet")
    return Said(ConditionType.IN_SYNC, Truth.TRUE, Reason.IN_SYNC, "")


# --- the unit --------------------------------------------------------------------------------------------------------


def _of_unit(unit: UnitKey, inputs: Inputs, plan: Plan, judged: Conditions) -> list[Said]:
    target = inputs.seen(unit.target)
    reachable = _reachable(unit, target)
    if plan.inventory is None:
        return [*_unknown(plan)[:1], reachable]
    ready = {key: c for key, all_ in judged.items() for c in all_ if c.type is ConditionType.READY}
    in_order = sorted(ready.items(), key=lambda item: str(item[0]))
    not_ready = [(key, c) for key, c in in_order if c.status is not Truth.TRUE]
    block = _first(b for b in plan.blocks if b.reason not in HARMLESS)
    moving = bool(plan.actions or plan.waits)
    reconciling = Said(
        ConditionType.RECONCILING,
        Truth.TRUE if moving else Truth.FALSE,
        Reason.PROGRESSING if moving else Reason.SETTLED,
        f"{len(plan.actions)} actions, {len(plan.waits)} waits" if moving else "nothing to do",
    )
    return [_unit_ready(not_ready, block, len(ready)), reconciling, _stalled(block), reachable]


def _unit_ready(not_ready: list[tuple[Subject, Condition]], block: Block | None, total: int) -> Said:
    if not_ready:
        key, worst = not_ready[0]
        message = f"{len(not_ready)} of {total} not ready; {key}: {worst.message}"
        return Said(ConditionType.READY, Truth.FALSE, worst.reason, message)
    if block is not None:
        return Said(ConditionType.READY, Truth.FALSE, block.reason, block.message)
    return Said(ConditionType.READY, Truth.TRUE, Reason.READY, f"{total} ready")


def _reachable(unit: UnitKey, target: Target) -> Said:
    if target.observed_at and not target.unknown:
        return Said(ConditionType.REACHABLE, Truth.TRUE, Reason.OBSERVED, "")
    if target.observed_at:
        return Said(ConditionType.REACHABLE, Truth.TRUE, Reason.PARTLY_OBSERVED, target.trouble)
    message = target.trouble or f"{unit.target.name} was not looked at yet"
    return Said(ConditionType.REACHABLE, Truth.UNKNOWN, Reason.UNKNOWN, message)


def _timed(said: Iterable[Said], before: tuple[Condition, ...], now: float, revision: str) -> tuple[Condition, ...]:
    known = {c.type: c for c in before}
    made = []
    for item in said:
        old = known.get(item.type)
        since = old.since if old is not None and old.status is item.status else now
        made.append(Condition(item.type, item.status, str(item.reason), item.message, since, revision))
    return tuple(made)


def _first(items: Iterable[_T]) -> _T | None:
    return next(iter(items), None)

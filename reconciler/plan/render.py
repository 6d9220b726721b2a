"""The whole way, for people and for programs: what would be done, in which order, what for, and what stands in the way.

Health is assumed, so this is what happens when everything works; what does not work is what conditions tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Target
from reconciler.plan.actions import Action, ApprovalRecord, Block, Claims, Difference, Gate, HeldAction, Progress
from reconciler.plan.model import Model
from reconciler.plan.simulate import Simulation, Step


@dataclass(frozen=True, slots=True)
class Way:
    """Every step from now until nothing is left to do. ``blocks``, ``held`` and ``gates`` are those at the end."""

    steps: tuple[Step, ...] = ()
    blocks: tuple[Block, ...] = ()
    held: tuple[HeldAction, ...] = ()
    gates: tuple[Gate, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything would be done, held actions included."""
        return bool(self.steps or self.held)


@dataclass(frozen=True, slots=True)
class Outset:
    """Where the way begins: what is seen, and what is remembered, of all units."""

    snapshot: Mapping[ResourceKey, Target]
    now: float
    inventory: Inventory
    progress: Mapping[UnitKey, Mapping[ResourceKey, Progress]]
    claims: Claims
    differences: Mapping[str, tuple[Difference, ...]]
    approvals: Mapping[str, ApprovalRecord]
    holds: frozenset[ResourceKey | UnitKey]


def whole_way(desired: Desired, outset: Outset) -> Way:
    """Walks the model until nothing more happens. Raises ``DoesNotSettle`` when it never does: a defect."""
    blind = {key: target.unknown for key, target in outset.snapshot.items() if target.unknown}
    simulation = Simulation(
        Model(dict(outset.snapshot), now=outset.now, serial=_serial(outset), blind=blind),
        inventory={unit: dict(entries) for unit, entries in outset.inventory.items()},
        progress=dict(outset.progress),
        claims=dict(outset.claims),
        approvals=dict(outset.approvals),
        holds=outset.holds,
        differences=outset.differences,
    )
    simulation.settle(desired)
    plans = simulation.plans.values()
    return Way(
        tuple(simulation.steps),
        blocks=tuple(sorted({block for plan in plans for block in plan.blocks})),
        held=tuple(sorted(held for plan in plans for held in plan.held)),
        gates=tuple(sorted({gate for plan in plans for gate in plan.gates})),
    )


def _serial(outset: Outset) -> int:
    """Above everything that was created so far, so that what is made on the way is the newest."""
    created = [i.created for target in outset.snapshot.values() for i in target.instances.values()]
    return int(max(created, default=0.0)) + 1


def as_text(way: Way) -> str:
    """The way in lines: a heading for each stretch of time, then one line per action."""
    lines = [*_steps(way.steps), *_section("held", _held(way.held)), *_section("blocked", _blocked(way.blocks))]
    lines += _section("needs an Approval", _gates(way.gates))
    return "\n".join(lines or ["nothing to do"]) + "\n"


def as_json(way: Way) -> dict[str, Any]:
    """The same, for programs: names, causes and times in seconds; never a value."""
    return {
        "changes": way.changes,
        "steps": [{"at": s.at, "waited": list(s.waited), **_action(s.action)} for s in way.steps],
        "held": [{**_action(h.action), "reason": h.reason} for h in way.held],
        "blocked": [{"subject": str(b.key), "reason": b.reason, "message": b.message} for b in way.blocks],
        "gates": [_gate(gate) for gate in way.gates],
    }


def _steps(steps: Iterable[Step]) -> list[str]:
    lines: list[str] = []
    moment: tuple[float, str] | None = None
    for step in steps:
        unit = str(step.action.unit)
        if moment is None or moment[0] != step.at:
            waited = f", after waiting for {'; '.join(step.waited)}" if step.waited else ""
            lines.append(f"at +{step.at:g}s{waited}")
        if moment != (step.at, unit):
            lines.append(f"  {unit}")
        moment = (step.at, unit)
        lines.append(f"    {_line(step.action)}")
    return lines


def _line(action: Action) -> str:
    return f"{action.verb:<15} {action.name}  ({action.cause})"


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _held(held: Iterable[HeldAction]) -> list[str]:
    return [f"{h.reason}: {_line(h.action)}" for h in held]


def _blocked(blocks: Iterable[Block]) -> list[str]:
    return [f"{b.key}  {b.reason}: {b.message}" if b.message else f"{b.key}  {b.reason}" for b in blocks]


def _gates(gates: Iterable[Gate]) -> list[str]:
    return [f"{g.digest}  {g.reason}: {g.message} ({', '.join(map(str, g.identities))})" for g in gates]


def _action(action: Action) -> dict[str, Any]:
    return {
        "unit": str(action.unit),
        "subject": str(action.key),
        "verb": action.verb.value,
        "name": action.name,
        "cause": action.cause,
        "drift": action.drift,
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "digest": gate.digest,
        "reason": gate.reason.value,
        "source": gate.source,
        "message": gate.message,
        "identities": [str(key) for key in gate.identities],
    }

"""One unit: everything that is known, in; the plan of the next safe steps, out.

Called by the runtime once per pass, and by the simulation as often as it takes. Same inputs, same plan.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.identity import UnitKey
from reconciler.observed.snapshot import Collection, Snapshot, Target
from reconciler.plan.actions import Block, Plan
from reconciler.plan.draft import Draft
from reconciler.plan.environment import Environment
from reconciler.plan.furniture import EdgePlan, plan_artifacts
from reconciler.plan.gates import forget_target
from reconciler.plan.inputs import Inputs
from reconciler.plan.targets import entry_of

__all__ = ["Inputs", "plan", "units"]

_NEEDED = frozenset(
    {Collection.INSTANCES, Collection.VOLUMES, Collection.ADDRESSES, Collection.ARTIFACTS, Collection.VERDICTS}
)


def units(desired: Desired, inventory: Inventory, snapshot: Snapshot) -> list[UnitKey]:
    """Every unit that has, had, or still shows something; furniture units included. Sorted."""
    found = {w.unit for w in desired.workloads} | {v.unit for v in desired.volumes} | {r.unit for r in desired.routes}
    found |= set(desired.units) | {unit for unit, entries in inventory.items() if entries}
    found |= {i.unit for target in snapshot.values() for i in target.instances.values() if i.ours}
    targets = {unit.target for unit in found} | set(desired.targets)
    return sorted(found | {UnitKey(target) for target in targets})


def plan(unit: UnitKey, inputs: Inputs) -> Plan:
    """The plan of one unit."""
    known, target = inputs.known(unit.target), inputs.seen(unit.target)
    if unit.is_furniture:
        return _furniture(unit, inputs, target)
    if known is not None and known.lifecycle == "decommissioned":
        return forget_target(unit, inputs)
    needed = _NEEDED | {Collection.ROUTES} if known is not None and known.edge is not None else _NEEDED
    if not target.knows(*needed):
        return _unknown(unit, inputs, target)
    return Environment(unit, inputs).plan()


def _unknown(unit: UnitKey, inputs: Inputs, target: Target) -> Plan:
    """Unknown is not empty: nothing is done, and what is on record stays."""
    missing = ", ".join(sorted(target.unknown))
    said = target.trouble or "it could not be looked at"
    block = Block(unit.target, "Unknown", f"{unit.target.name}: {said} (unknown: {missing})")
    return Plan(unit, blocks=(block,), progress=inputs.progress)


def _furniture(unit: UnitKey, inputs: Inputs, target: Target) -> Plan:
    draft = Draft(unit, inputs.now, hold="Held" if unit in inputs.holds else "")
    neighbours = [
        u for u in units(inputs.desired, inputs.inventory, inputs.snapshot) if u.target == unit.target and u != unit
    ]
    known = inputs.known(unit.target)
    if known is not None and known.lifecycle != "decommissioned":
        EdgePlan(draft, known, target, inputs.desired, inputs.claims, frozenset(neighbours)).plan()
    plan_artifacts(target, inputs.desired, draft)
    entries = dict(inputs.inventory.get(unit, {}))
    if unit.target in inputs.desired.targets:
        entries[unit.target] = entry_of(inputs.desired.targets[unit.target])
    elif not any(inputs.inventory.get(u) for u in neighbours):
        entries.pop(unit.target, None)
    return replace(draft.freeze(), inventory=entries, claims={})

"""Which units a change concerns. Pure: desired states in, units out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.desired.objects import Desired
from reconciler.inventory import Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey

_OF_ALL = ("deleted", "renamed", "named", "projects", "environments", "held", "approvals", "targets")
"""Fields of a desired state that guards of any unit may read."""

_OF_A_UNIT = ("workloads", "volumes", "routes", "blocks")


def dependents(desired: Desired) -> Mapping[UnitKey, frozenset[UnitKey]]:
    """For each unit, the other units in which something depends on something of it."""
    home = {workload.key: workload.unit for workload in desired.workloads}
    found: dict[UnitKey, set[UnitKey]] = defaultdict(set)
    for workload in desired.workloads:
        for key in workload.depends_on:
            if key in home and home[key] != workload.unit:
                found[home[key]].add(workload.unit)
    return {unit: frozenset(others) for unit, others in found.items()}


def changed_units(old: Desired, new: Desired, inventory: Inventory, units: Iterable[UnitKey]) -> list[UnitKey]:
    """The units whose passes may conclude something else from the new desired state, sorted."""
    if any(getattr(old, name) != getattr(new, name) for name in _OF_ALL):
        return sorted(units)
    before, after = _slices(old), _slices(new)
    concerned = {unit for unit in units if before.get(unit) != after.get(unit)}
    concerned |= {unit for unit, entries in inventory.items() if _declared(old, entries) != _declared(new, entries)}
    return sorted(concerned | {furniture for unit in concerned if (furniture := unit.furniture) in set(units)})


def _slices(desired: Desired) -> dict[UnitKey, list[object]]:
    """What each unit owns of a desired state."""
    owned: dict[UnitKey, list[object]] = defaultdict(list)
    for name in _OF_A_UNIT:
        for thing in getattr(desired, name):
            if thing.unit is not None:
                owned[thing.unit].append(thing)
    for unit, policy in desired.units.items():
        owned[unit].append(policy)
    return owned


def _declared(desired: Desired, keys: Iterable[ResourceKey]) -> list[str | None]:
    return [desired.declared.get(key) for key in keys]

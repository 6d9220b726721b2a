"""Steps from one world to the next that a pass takes, and whether anybody would notice. Pure; for the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.manifests.identity import UnitKey
from reconciler.observed.snapshot import Target
from reconciler.plan.actions import Claims, Difference, Plan
from reconciler.runtime.rules import Census
from reconciler.runtime.world import World, with_approvals, with_inventory, with_item


def same(before: Target | None, after: Target) -> bool:
    """Whether two looks saw the same, whenever they were taken."""
    return before is not None and replace(before, observed_at=0.0) == replace(after, observed_at=0.0)


def of_others(claims: Claims, unit: UnitKey) -> Claims:
    """What the other units claim."""
    return {other: said for other, said in claims.items() if other != unit}


def with_plan(world: World, plan: Plan, *, edition: int, differences: Mapping[str, tuple[Difference, ...]]) -> World:
    """The world once a unit's plan, made for ``edition``, is what holds."""
    unit = plan.unit
    return replace(
        world,
        inventory=world.inventory if plan.inventory is None else with_inventory(world.inventory, unit, plan.inventory),
        progress=with_item(world.progress, unit, plan.progress),
        approvals=with_approvals(world.approvals, plan.approvals),
        claims=world.claims if plan.claims is None else with_item(world.claims, unit, plan.claims),
        plans={**world.plans, unit: plan},
        planned=with_item(world.planned, unit, edition),
        differences=with_item(world.differences, unit, differences),
    )


def unnoticed(before: World, after: World, unit: UnitKey) -> bool:
    """Whether a reader would find nothing new in the unit: the same plan but for the time that is left."""
    old, new = before.plans.get(unit), after.plans[unit]
    names = ("inventory", "progress", "approvals", "claims", "planned", "differences")
    return (
        old is not None
        and replace(old, requeue_after=None) == replace(new, requeue_after=None)
        and all(getattr(after, name) == getattr(before, name) for name in names)
    )


def with_units(world: World, census: Census) -> World:
    """The world with the units counted again; of those that are gone nothing is kept but what they claimed."""
    units = tuple(census(world.desired, world.inventory, world.snapshot))
    if units == world.units:
        return world
    known = frozenset(units)
    return replace(
        world,
        units=units,
        plans={unit: plan for unit, plan in world.plans.items() if unit in known},
        planned={unit: edition for unit, edition in world.planned.items() if unit in known},
        differences={unit: found for unit, found in world.differences.items() if unit in known},
        progress={unit: said for unit, said in world.progress.items() if unit in known},
    )

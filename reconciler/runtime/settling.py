"""How far a revision has come: applied once every unit settled on it, blocked while something of it cannot go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.plan.actions import Plan
from reconciler.ports import Ledger
from reconciler.runtime.world import Board, World
from reconciler.status.judge import HARMLESS
from reconciler.status.published import SourceState


def settle_sources(board: Board, ledger: Ledger) -> None:
    """Publishes how far the revisions have come, and puts on record what has been applied since."""
    before = board.read()
    if with_settled_sources(before) is before:
        return
    after = board.change(with_settled_sources)
    for source, revision in sorted(newly_applied(before.sources, after.sources).items()):
        ledger.save_applied(source, revision)


def with_settled_sources(world: World) -> World:
    """The world with what its sources' states say of applied and blocked revisions brought up to date."""
    sources = {name: _settled(world, state) for name, state in world.sources.items()}
    return world if sources == world.sources else replace(world, sources=sources)


def newly_applied(before: Mapping[str, SourceState], after: Mapping[str, SourceState]) -> dict[str, str]:
    """Revisions by source that have been applied since."""
    known = {name: state.applied for name, state in before.items()}
    return {name: state.applied for name, state in after.items() if state.applied and state.applied != known.get(name)}


def _settled(world: World, state: SourceState) -> SourceState:
    revision = world.desired.revisions.get(state.name, "")
    if not revision:
        return state
    stuck = bool(world.desired.blocks) or any(_stuck(plan) for plan in world.plans.values())
    done = not stuck and all(world.current(unit) and _done(world.plans[unit]) for unit in world.units)
    return replace(state, applied=revision if done else state.applied, blocked=revision if stuck else "")


def _stuck(plan: Plan) -> bool:
    return bool(plan.gates) or any(block.reason not in HARMLESS for block in plan.blocks)


def _done(plan: Plan) -> bool:
    return not (plan.actions or plan.waits or plan.held)

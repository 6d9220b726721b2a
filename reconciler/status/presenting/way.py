"""The whole way from here: what would be done until nothing is left to do, as the model has it, if all goes well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.plan.model import Model
from reconciler.plan.simulate import Simulation, Step
from reconciler.status.presenting import pieces
from reconciler.status.presenting.picture import Picture
from reconciler.status.views import StepView


def steps(
    picture: Picture, *, project: str = "", environment: str = ""
) -> tuple[tuple[StepView, ...], tuple[str, ...]]:
    """The steps (of one project or environment, if named), and why they are not known when they are not."""
    try:
        walked = _simulation(picture).settle(picture.published.desired)
    except ReconcilerError as failed:
        return (), (f"the way is not known: {failed}",)
    found = [*_repairs(picture, walked.steps), *walked.steps]
    return tuple(
        StepView(after=round(step.at, 1), action=pieces.action(step.action), waited=step.waited)
        for step in found
        if project in {"", step.action.unit.project} and environment in {"", step.action.unit.environment}
    ), ()


def _repairs(picture: Picture, walked: Sequence[Step]) -> list[Step]:
    """What is to be done now and is no part of the model: it knows nothing of fields that differ."""
    known = {(step.action.unit, step.action.verb, step.action.name) for step in walked}
    now = [action for _, plan in sorted(picture.published.plans.items()) for action in plan.actions]
    return [Step(0.0, action) for action in now if (action.unit, action.verb, action.name) not in known]


def _simulation(picture: Picture) -> Simulation:
    published = picture.published
    return Simulation(
        Model(
            dict(published.snapshot),
            now=published.generated_at,
            blind={key: target.unknown for key, target in published.snapshot.items() if target.unknown},
        ),
        inventory={unit: dict(entries) for unit, entries in published.inventory.items()},
        progress=_progress(picture),
        approvals=_approvals(picture),
        holds=published.holds,
    )


def _progress(picture: Picture) -> dict[UnitKey, Mapping[ResourceKey, Progress]]:
    by_unit: dict[UnitKey, dict[ResourceKey, Progress]] = defaultdict(dict)
    for key, progress in picture.published.progress.items():
        if key in picture.units:
            by_unit[picture.units[key]][key] = progress
    return dict(by_unit)


def _approvals(picture: Picture) -> dict[str, ApprovalRecord]:
    """An Approval whose gate is closed now does not open it on the way either: it is used, or void."""
    closed = {gate.digest for plan in picture.published.plans.values() for gate in plan.gates}
    return {
        approval.name: ApprovalRecord(approval.name, approval.gate, "void")
        for approval in picture.published.desired.approvals
        if approval.gate in closed
    }

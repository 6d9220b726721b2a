"""The whole way from here: what would be done until nothing is left to do, as the model has it, if all goes well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.plan.render import Outset, whole_way
from reconciler.status.presenting import pieces
from reconciler.status.presenting.picture import Picture
from reconciler.status.views import StepView


def steps(
    picture: Picture, *, project: str = "", environment: str = ""
) -> tuple[tuple[StepView, ...], tuple[str, ...]]:
    """The steps (of one project or environment, if named), and why they are not known when they are not."""
    try:
        walked = whole_way(picture.published.desired, _outset(picture)).steps
    except ReconcilerError as failed:
        return (), (f"the way is not known: {failed}",)
    return tuple(
        StepView(after=round(step.at, 1), action=pieces.action(picture, step.action), waited=step.waited)
        for step in walked
        if project in {"", step.action.unit.project} and environment in {"", step.action.unit.environment}
    ), ()


def _outset(picture: Picture) -> Outset:
    published = picture.published
    return Outset(
        snapshot=published.snapshot,
        now=published.generated_at,
        inventory=published.inventory,
        progress=_progress(picture),
        claims={},
        differences=published.differences,
        approvals=approvals(picture),
        holds=published.holds,
    )


def _progress(picture: Picture) -> dict[UnitKey, Mapping[ResourceKey, Progress]]:
    by_unit: dict[UnitKey, dict[ResourceKey, Progress]] = defaultdict(dict)
    for key, progress in picture.published.progress.items():
        if key in picture.units:
            by_unit[picture.units[key]][key] = progress
    return dict(by_unit)


def approvals(picture: Picture) -> dict[str, ApprovalRecord]:
    """An Approval whose gate is closed now does not open it on the way either: it is used, or void."""
    closed = {gate.digest for plan in picture.published.plans.values() for gate in plan.gates}
    return {
        approval.name: ApprovalRecord(approval.name, approval.gate, "void")
        for approval in picture.published.desired.approvals
        if approval.gate in closed
    }

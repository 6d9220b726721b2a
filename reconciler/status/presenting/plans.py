"""What may be done now, what is waited for, what blocks, and what only an Approval lets through."""

from __future__ import annotations

from collections import Counter

from reconciler.manifests.identity import UnitKey
from reconciler.plan.actions import Plan
from reconciler.status import views
from reconciler.status.presenting import pieces, way
from reconciler.status.presenting.picture import Picture


def view(picture: Picture, *, project: str = "", environment: str = "") -> views.PlanView:
    """Of all units, or those of a project or an environment."""
    units = [
        (unit, plan)
        for unit, plan in sorted(picture.published.plans.items())
        if (not project or unit.project == project) and (not environment or unit.environment == environment)
    ]
    verbs = Counter(action.verb.value for _, plan in units for action in plan.actions)
    walked, errors = way.steps(picture, project=project, environment=environment)
    return views.PlanView(
        generated_at=picture.generated_at,
        changes=any(plan.actions or plan.held or plan.gates for _, plan in units) or bool(walked),
        counts=dict(sorted(verbs.items())),
        units=tuple(_unit(picture, unit, plan) for unit, plan in units),
        way=walked,
        source_errors=errors,
    )


def _unit(picture: Picture, unit: UnitKey, plan: Plan) -> views.UnitPlanView:
    return views.UnitPlanView(
        unit=str(unit),
        actions=tuple(pieces.action(picture, a) for a in plan.actions),
        waits=tuple(pieces.wait(w) for w in plan.waits),
        blocks=tuple(pieces.block(picture, b) for b in plan.blocks),
        held=tuple(pieces.held(picture, h) for h in plan.held),
        gates=tuple(pieces.gate(picture, unit, g) for g in plan.gates),
        observed_at=picture.observed_at(unit.target),
        freshness=picture.freshness(unit.target),
    )

"""The ledger's records as they may be read."""

from __future__ import annotations

from datetime import datetime

from reconciler.status import views
from reconciler.status.masking import clear, tree
from reconciler.status.presenting.picture import instant
from reconciler.status.records import Deployment, Event


def event(happened: Event) -> views.EventView:
    return views.EventView(
        id=happened.id,
        at=instant(happened.at),
        type=happened.type,
        severity=happened.severity,
        message=clear(happened.message),
        resource=str(happened.key) if happened.key else "",
        unit=str(happened.unit) if happened.unit else "",
        revision=happened.revision,
    )


def deployment(record: Deployment) -> views.DeploymentSummary:
    return views.DeploymentSummary.model_validate(_deployment(record))


def deployment_view(record: Deployment, *, generated_at: datetime) -> views.DeploymentView:
    """With what was applied, masked once more by the names of its fields."""
    return views.DeploymentView.model_validate(
        {**_deployment(record), "snapshot": tree(record.snapshot), "generated_at": generated_at}
    )


def _deployment(record: Deployment) -> dict[str, object]:
    return {
        "id": record.id,
        "resource": str(record.key),
        "project": record.key.project,
        "environment": record.key.environment,
        "name": record.key.name,
        "status": record.status.value,
        "trigger": record.trigger.value,
        "release": record.release,
        "generation": record.generation,
        "revision": record.revision,
        "started_at": instant(record.started_at),
        "finished_at": instant(record.finished_at),
        "message": clear(record.message),
    }

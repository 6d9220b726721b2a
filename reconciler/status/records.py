"""The ledger's history: events and deployments, as they are kept and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.manifests.identity import ResourceKey, UnitKey


class DeploymentStatus(StrEnum):
    CREATED = "created"
    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    CANCEL_REQUESTED = "cancel-requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    ROLLED_BACK = "rolled-back"


class Trigger(StrEnum):
    CREATE = "create"
    RETRY = "retry"
    REDEPLOY = "redeploy"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, once. ``type`` is a lower-kebab word (``deployment-started``, ``drift-repaired``,
    ``instance-exited``, ``gate-opened`` …); ``at`` is in epoch seconds; ``id`` is given by the ledger, ascending."""

    at: float
    type: str
    message: str
    key: ResourceKey | None = None
    unit: UnitKey | None = None
    severity: str = "info"  # info | warning | error
    revision: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One generation of one resource being rolled out. ``snapshot`` is what was applied, masked, and never changes."""

    id: str
    key: ResourceKey
    unit: UnitKey
    generation: str
    release: str
    revision: str
    trigger: Trigger
    status: DeploymentStatus
    started_at: float
    finished_at: float | None = None
    message: str = ""
    snapshot: Mapping[str, object] = field(default_factory=dict)

"""One-shots: things asked for once. Each runs at most once per name and ``requestId``, with a receipt on the target."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import (
    Command,
    Duration,
    Items,
    Label,
    Model,
    ProjectSpecific,
    Spec,
    Text,
    Timestamp,
    exactly_one,
)
from reconciler.manifests.kinds.data import BackupDriver
from reconciler.manifests.kinds.policies import PruneCategory


class Once(Model):
    """What makes a request one."""

    request_id: Text
    """A new text asks again."""
    expires_at: Timestamp | None = None
    """When it is too late to begin."""


class DataSubject(Model):
    """Whose data: exactly one."""

    dependency: Label | None = None
    volume: Label | None = None
    sandbox: Label | None = None

    @model_validator(mode="after")
    def _one(self) -> DataSubject:
        exactly_one(self, "dependency", "volume", "sandbox")
        return self


class BackupRequestSpec(Once, ProjectSpecific):
    """One backup, now."""

    environment: Label
    subject: DataSubject
    agent_id: Text | None = None
    driver: BackupDriver | None = None
    repository: Label | None = None
    retention_days: Annotated[int, Field(ge=1, le=365)] | None = None


class RestoreRequestSpec(Once, ProjectSpecific):
    """One restore. Without the acknowledgement nothing is overwritten."""

    environment: Label
    subject: DataSubject
    agent_id: Text | None = None
    backup_id: Text | None = None
    """The most recent one that succeeded when absent."""
    acknowledge_data_overwrite: bool = False
    acknowledge_runtime_not_restarted: bool = False


class TaskRunRequestSpec(Once, ProjectSpecific):
    """One run of a ScheduledTask."""

    environment: Label
    task: Label
    command: Command | None = None


class PruneRequestSpec(Once, Spec):
    """One clean-up of servers; a dry run unless destructive."""

    servers: Annotated[Items[Label], Field(min_length=1)]
    categories: Annotated[Items[PruneCategory], Field(min_length=1)]
    older_than: Duration
    destructive: bool = False


class VolumeCleanupRequestSpec(Once, ProjectSpecific):
    """The deletion of one volume that nothing uses any more."""

    environment: Label
    volume: Label
    acknowledge_data_loss: bool = False


class LogArchiveRequestSpec(Once, ProjectSpecific):
    """An archive of one resource's logs."""

    environment: Label
    resource: Label
    since: Timestamp | None = None
    until: Timestamp | None = None
    format: Literal["text", "json"] = "text"

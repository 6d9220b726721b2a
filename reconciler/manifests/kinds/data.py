"""Dependency, BackupRepository and BackupPolicy: data, and copies of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import (
    Command,
    Cron,
    Items,
    Label,
    LinkTarget,
    Model,
    ProjectSpecific,
    SecretReference,
    Size,
    Spec,
    Text,
)
from reconciler.manifests.kinds.project import Placement


class DependencyStorage(Model):
    """Where a managed dependency keeps its data."""

    volume: Label | None = None
    size: Size | None = None
    storage_class: Text | None = None


class DependencySpec(ProjectSpecific):
    """A database, cache or store that resources bind to: managed by us, or imported."""

    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    """MariaDB is mysql."""
    mode: Literal["managed", "imported"] = "managed"
    version: Text | None = None
    image: Text | None = None
    args: Items[str] | None = None
    storage: DependencyStorage | None = None
    connection_secret_ref: SecretReference | None = None
    from_: LinkTarget | None = Field(None, alias="from")
    """A database inside somebody's stack, imported."""
    target: Placement | None = None
    share_from: Label | None = None
    """The environment whose instance is shared."""
    secret_version: Text | None = None
    capabilities: Items[Text] = ()
    deletion_policy: Literal["retain", "delete"] = "retain"


class BackupRepositorySpec(Spec):
    """Where backups go."""

    url: Text
    password_ref: SecretReference
    credential_ref: Label | None = None


class BackupSubjects(Model):
    """What a policy backs up: at least one."""

    dependencies: Items[Label] = ()
    volumes: Items[Label] = ()
    sandboxes: Items[Label] = ()

    @model_validator(mode="after")
    def _some(self) -> BackupSubjects:
        if not (self.dependencies or self.volumes or self.sandboxes):
            raise ValueError("at least one of dependencies, volumes, sandboxes is wanted")
        return self


class Retention(Model):
    """Which backups stay; at least one is always kept."""

    keep_last: Annotated[int, Field(ge=1)] | None = None
    daily: Annotated[int, Field(ge=0)] | None = None
    weekly: Annotated[int, Field(ge=0)] | None = None
    monthly: Annotated[int, Field(ge=0)] | None = None
    days: Annotated[int, Field(ge=1, le=365)] | None = None


class Drill(Model):
    """A restore into a scratch place, to see that backups work."""

    schedule: Cron
    check: Command | None = None


BackupDriver = Literal["volumeSnapshot", "restic"]


class BackupPolicySpec(ProjectSpecific):
    """Backups on a schedule."""

    environments: Annotated[Items[Label], Field(min_length=1)]
    """The environments whose data is backed up."""
    subjects: BackupSubjects
    driver: BackupDriver | None = None
    repository: Label | None = None
    """The name of a BackupRepository."""
    schedule: Cron
    timezone: Text = "UTC"
    retention: Retention | None = None
    drill: Drill | None = None
    consistency: Literal["crash", "quiesced", "application"] = "crash"

"""Standing rules: host hygiene, the ledger's own history, thresholds, messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import (
    Cron,
    Duration,
    Items,
    Label,
    Model,
    SecretReference,
    Spec,
    Text,
    Timestamp,
    exactly_one,
)

PruneCategory = Literal[
    "stopped-containers",
    "preview-workspaces",
    "source-workspaces",
    "docker-build-cache",
    "unused-images",
    "remote-state-markers",
]
RetentionCategory = Literal[
    "audit-rows",
    "deployment-logs",
    "domain-event-streams",
    "process-attempts",
    "provider-job-logs",
    "resource-runtime-log-archives",
    "runtime-monitoring-samples",
]


class PrunePolicySpec(Spec):
    """Host hygiene on a schedule; a dry run unless destructive. Never volumes, never what runs."""

    servers: Annotated[Items[Label], Field(min_length=1)]
    scope: Literal["defaults", "system", "organization", "project", "environment", "deployment-snapshot"] = "system"
    categories: Items[PruneCategory] = ("stopped-containers",)
    older_than: Duration
    schedule: Cron
    destructive: bool = False
    retry_on_failure: bool = False
    enabled: bool = True


class RetentionRule(Model):
    """How long one category of history is kept."""

    days: Annotated[int, Field(ge=1, le=3650)]
    enabled: bool = True


class RetentionPolicySpec(Spec):
    """How long the daemon's own history is kept, by category."""

    categories: Annotated[dict[RetentionCategory, RetentionRule], Field(min_length=1)]


class HistoryScope(Model):
    """Whose history; everything when empty."""

    project: Label | None = None
    environment: Label | None = None
    resource: Label | None = None


class LegalHoldSpec(Spec):
    """History that nothing may prune while this is declared."""

    reason: Text
    scope: HistoryScope | None = None
    expires_at: Timestamp | None = None


class AuditArchiveSpec(Spec):
    """An immutable archive of audit events, with a digest."""

    since: Timestamp | None = None
    until: Timestamp
    reason: Text | None = None
    scope: HistoryScope | None = None


class MonitoringThresholdSpec(Spec):
    """When a figure is worth a warning. It never enforces."""

    scope: HistoryScope | None = None
    servers: Items[Label] = ()
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"]
    warning: Annotated[int, Field(ge=0)] | None = None
    critical: Annotated[int, Field(ge=0)] | None = None
    window: Duration | None = None


class NotificationFilter(Model):
    """What a message is sent for."""

    conditions: Items[Text] = ()
    severity: Literal["info", "warning", "error"] | None = None


class NotificationTarget(Model):
    """Where messages go: exactly one."""

    webhook: Text | None = None
    slack: Text | None = None
    email: Text | None = None
    heartbeat_url: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> NotificationTarget:
        exactly_one(self, "webhook", "slack", "email", "heartbeat_url")
        return self


class NotificationSpec(Spec):
    """Messages about what happens."""

    when: NotificationFilter | None = None
    to: NotificationTarget
    secret_ref: SecretReference | None = None

"""Project and Environment: who belongs together, and where it runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import (
    Cron,
    Duration,
    Items,
    Label,
    Model,
    SourcePath,
    Spec,
    Text,
    Variables,
    exactly_one,
)
from reconciler.manifests.kinds.features import Later
from reconciler.manifests.kinds.rollout import Deploy


class Placement(Model):
    """Where something runs: a server or a cluster."""

    server: Label | None = None
    """The name of a Server."""
    cluster: Annotated[Label | None, Later("kubernetes")] = None
    """The name of a Cluster."""

    @model_validator(mode="after")
    def _one(self) -> Placement:
        exactly_one(self, "server", "cluster")
        return self


class SyncWindow(Model):
    """A time in which changes may, or may not, be applied."""

    kind: Literal["allow", "deny"]
    schedule: Cron
    """When it opens."""
    duration: Duration
    """How long it stays open."""
    timezone: Text = "UTC"


class NetworkPolicy(Model):
    """Who may talk to this environment's workloads, on clusters."""

    ingress: Literal["same-environment", "same-project", "all"] = "same-environment"
    egress: Literal["same-environment", "same-project", "all"] = "all"


class EnvironmentSpec(Spec):
    """One environment of a project: a target, and what is true of everything on it."""

    kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"] | None = None
    """A label for people and policies."""
    target: Placement
    """Where its resources run."""
    namespace: Annotated[Label | None, Later("kubernetes")] = None
    """The namespace, on clusters."""
    service_account: Annotated[Label | None, Later("kubernetes")] = None
    """The service account that applies, on clusters."""
    lifecycle: Literal["active", "locked", "archived"] = "active"
    """Locked: planned and shown, never applied. Archived: nothing new; what runs keeps running."""
    lock_reason: Text | None = None
    """Why it is locked, for people."""
    variables: Variables | None = None
    """For all of its resources; a resource's own win."""
    secret_files: Annotated[Items[SourcePath] | None, Later("secret-files")] = None
    """SOPS files whose keys are the secrets of this environment."""
    sync_windows: Annotated[Items[SyncWindow] | None, Later("sync-windows")] = None
    """When changes may be applied."""
    drift: Literal["repair", "report"] | None = None
    """What happens to changes made behind our back."""
    suspend: bool = False
    """Planned and shown, never applied."""
    reconcile_token: Text | None = None
    """A new text lifts failed verdicts and tries again."""
    network_policy: Annotated[NetworkPolicy | None, Later("kubernetes")] = None
    """Who may talk to its workloads, on clusters."""


class ResourceDefaults(Model):
    """What a project's resources have when they say nothing themselves."""

    deploy: Deploy | None = None
    """How a generation replaces another."""
    drift: Literal["repair", "report"] | None = None
    """What happens to changes made behind our back."""
    restart_when_unhealthy: bool | None = None
    """Whether an instance that turns unhealthy later is restarted."""


class ProjectSpec(Spec):
    """A project: what is deployed together, shares variables and has the same environments."""

    description: str | None = None
    """For people."""
    lifecycle: Literal["active", "archived"] = "active"
    """Archived: nothing new; what runs keeps running."""
    archive_reason: Text | None = None
    """Why it is archived, for people."""
    variables: Variables | None = None
    """For all of its resources; an environment's and a resource's own win."""
    environments: dict[Label, EnvironmentSpec] = Field(default_factory=dict)
    """The short form of Environment documents, by name."""
    defaults: ResourceDefaults | None = None
    """What its resources have when they say nothing themselves."""

"""How a generation replaces another, and what healthy means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import (
    Command,
    Duration,
    HostName,
    Items,
    Label,
    Model,
    PortReference,
    RequestTarget,
    Text,
    exactly_one,
)
from reconciler.manifests.kinds.features import Later


class ReleaseCommand(Model):
    """Runs in the new release before any of its instances, and succeeds at most once per release."""

    command: Command
    """The argument vector, never a shell string."""
    timeout: Duration = "10m"


class FreshBackup(Model):
    """A backup that must be young enough before anything is replaced."""

    policy: Label
    """The name of a BackupPolicy."""
    max_age: Duration


class Requires(Model):
    """What must hold before a new generation begins."""

    fresh_backup: FreshBackup | None = None


class Deploy(Model):
    """How a generation replaces another."""

    strategy: Literal["start-first", "stop-first"] | None = None
    """Start-first runs the new one beside the old one; computed when absent."""
    release: ReleaseCommand | None = None
    """A command, a migration for example, that must succeed first."""
    requires: Annotated[Requires | None, Later("backups")] = None
    """What must hold before a new generation begins."""
    timeout: Duration = "120s"
    """How long a new generation may take to become healthy."""
    drain: Duration = "30s"
    """How long old instances go on after the new ones serve."""
    stop_timeout: Duration = "10s"
    """Between SIGTERM and SIGKILL."""
    keep_releases: Annotated[int, Field(ge=0, le=100)] = 3
    """How many old releases stay for a rollback."""
    on_failure: Literal["stall", "restart-previous"] | None = None
    """What a failed stop-first rollout does; with a writable data volume it stalls unless told otherwise."""


class HttpProbe(Model):
    """Healthy is an answer to a request: 2xx and 3xx unless told otherwise."""

    path: RequestTarget = "/"
    port: PortReference | None = None
    """A port's name or number; without it the main port."""
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    scheme: Literal["http", "https"] = "http"
    host: HostName | None = None
    """The Host header; the resource's first domain when absent."""
    status: Items[Annotated[int, Field(ge=100, le=599)]] | None = None
    """The answers that pass."""
    text: Text | None = None
    """A text that the answer must hold."""


class TcpProbe(Model):
    """Healthy is an accepted connection."""

    port: PortReference | None = None
    """A port's name or number; without it the main port."""


class Health(Model):
    """When an instance is healthy: at most one of http, tcp and command; a connection to the main port otherwise."""

    http: HttpProbe | None = None
    tcp: TcpProbe | None = None
    command: Command | None = None
    """Healthy is exit code 0."""
    interval: Duration | None = None
    """Between probes; every second while a rollout waits for them."""
    timeout: Duration | None = None
    """How long one probe may take."""
    retries: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many failures in a row make it unhealthy."""
    start_period: Duration | None = None
    """How long failures do not count after a start."""

    @model_validator(mode="after")
    def _one(self) -> Health:
        exactly_one(self, "http", "tcp", "command", optional=True)
        return self

"""The words of the read surface, and what its bodies are made of. ``views`` puts them together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA_VERSION = "1"


class Overall(StrEnum):
    """Health of a resource, and the worst of what is in an environment or a project."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    STARTING = "starting"
    STOPPED = "stopped"
    NOT_DEPLOYED = "not-deployed"
    UNKNOWN = "unknown"


class Lifecycle(StrEnum):
    """What the runtime of a resource is doing."""

    NOT_DEPLOYED = "not-deployed"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    DEGRADED = "degraded"
    STOPPED = "stopped"
    EXITED = "exited"
    UNKNOWN = "unknown"


class Connectivity(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class EdgeProxyStatus(StrEnum):
    """The proxy of a server, in front of its resources."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    DISABLED = "disabled"


class Freshness(StrEnum):
    """How old an observation is, compared with how often its target is looked at."""

    LIVE = "live"
    RECENT_SAMPLE = "recent-sample"
    STALE = "stale"
    UNKNOWN = "unknown"


class CheckStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class RouteSource(StrEnum):
    """Where a route comes from, in the order in which addresses are offered."""

    DURABLE = "durable-domain-binding"
    SERVER_APPLIED = "server-applied-route"
    GENERATED = "generated-default-access"


class AppliedState(StrEnum):
    """What has become of a route."""

    NOT_CONFIGURED = "not-configured"
    PLANNED = "planned"
    APPLIED = "applied"
    READY = "ready"
    NOT_READY = "not-ready"
    STALE = "stale"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Blocker(StrEnum):
    """What stands between a visitor and the resource."""

    RUNTIME_NOT_READY = "runtime_not_ready"
    HEALTH_CHECK_FAILING = "health_check_failing"
    PROXY_ROUTE_MISSING = "proxy_route_missing"
    PROXY_ROUTE_STALE = "proxy_route_stale"
    DOMAIN_NOT_VERIFIED = "domain_not_verified"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_EXPIRED = "certificate_expired_or_not_active"
    DNS_POINTS_ELSEWHERE = "dns_points_elsewhere"
    SERVER_APPLIED_ROUTE_UNAVAILABLE = "server_applied_route_unavailable"
    OBSERVATION_UNAVAILABLE = "observation_unavailable"


class TlsState(StrEnum):
    NOT_APPLICABLE = "not-applicable"
    DISABLED = "disabled"
    PENDING = "pending"
    ACTIVE = "active"
    MISSING = "missing"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


class DomainStatus(StrEnum):
    REQUESTED = "requested"
    PENDING_VERIFICATION = "pending_verification"
    BOUND = "bound"
    CERTIFICATE_PENDING = "certificate_pending"
    READY = "ready"
    NOT_READY = "not_ready"
    FAILED = "failed"


class View(BaseModel):
    """Lenient when read back (a newer daemon may say more), frozen, camelCase."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class Body(View):
    """What every answer begins with."""

    schema_version: str = SCHEMA_VERSION
    generated_at: datetime


class Observed(View):
    """Said of everything that was looked at; ``observed_at`` is null when it never was."""

    observed_at: datetime | None = None
    freshness: Freshness = Freshness.UNKNOWN


class ConditionView(View):
    type: str
    status: str
    reason: str
    message: str = ""
    since: datetime | None = None
    revision: str = ""


class Replicas(View):
    """``wanted`` are declared, ``running`` are up, ``ready`` are up and healthy."""

    wanted: int = 0
    running: int = 0
    ready: int = 0


class Revisions(View):
    """Of the source that declares it: the newest seen, the newest applied whole, the newest that something blocks."""

    seen: str = ""
    applied: str = ""
    blocked: str = ""


class RolloutView(View):
    """``serving`` is the generation that answers now, ``generation`` the one rolled out or accepted last."""

    wanted: str = ""
    generation: str = ""
    serving: str = ""
    previous: str = ""
    strategy: str = ""
    why: str = ""
    accepted: bool = False
    failed: bool = False
    message: str = ""
    since: datetime | None = None


class InstanceView(View):
    name: str
    release: str
    generation: str
    ordinal: int
    state: str
    health: str
    pid: int = 0
    exits: int = 0
    ports: dict[str, int] = Field(default_factory=dict)
    detail: str = ""
    note: str = ""
    since: datetime | None = None


class AddressView(View):
    """A stable internal address: releases do not change it."""

    port: str
    host: str
    number: int
    ordinal: int = 0
    url: str


class DnsView(View):
    """``name`` is what was asked for, ``wanted`` what the answer should hold (one of them), ``seen`` what it held."""

    mode: str = "none"
    state: str = "skipped"
    name: str = ""
    wanted: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    message: str = ""
    checked_at: datetime | None = None


class TlsView(View):
    """``certificate`` is the imported one that is used, as project/environment/name."""

    policy: str = "auto"
    state: TlsState = TlsState.NOT_APPLICABLE
    certificate: str = ""
    message: str = ""


class RouteView(View):
    """A host and path that leads to a resource, as declared and as the edge has it."""

    id: str
    url: str
    host: str
    path: str = "/"
    port: str = ""
    source: RouteSource
    state: AppliedState
    blockers: tuple[Blocker, ...] = ()
    message: str = ""
    redirect_to: str = ""
    redirect_status: int = 0
    upstreams: tuple[str, ...] = ()
    dns: DnsView = DnsView()
    tls: TlsView = TlsView()
    manifest: str = ""


class VariableView(View):
    """``value`` is ``****`` when it is a secret or made of one. ``manifest`` is file:line:column of what won."""

    name: str
    value: str
    kind: str
    level: str = ""
    manifest: str = ""


class MountView(View):
    path: str
    volume: str
    mode: str
    env: str = ""
    place: str = ""
    present: bool | None = None


class WaitView(View):
    resource: str
    message: str
    until: datetime | None = None


class BlockView(View):
    resource: str
    reason: str
    message: str = ""
    manifest: str = ""


class ActionView(View):
    unit: str
    resource: str
    verb: str
    name: str
    cause: str = ""
    drift: bool = False


class HeldView(View):
    action: ActionView
    reason: str


class GateView(View):
    """A set of identities that one Approval lets through. ``fix`` is an Approval ready to commit."""

    unit: str
    reason: str
    source: str
    digest: str
    count: int
    identities: tuple[str, ...]
    message: str = ""
    fix: str = ""


class DriftView(View):
    """One answer to "why is it not in sync". ``ignore`` is what to write when the live value is meant."""

    resource: str
    instance: str
    field: str
    wanted: str
    live: str
    changed_by: str
    manifest: str = ""
    ignore: str = ""


class VolumeView(View):
    resource: str
    name: str
    deletion: str = ""
    declared: bool
    present: bool | None = None
    path: str = ""


class ProblemView(View):
    """Something written wrong: ``place`` is file:line:column."""

    place: str
    field: str = ""
    message: str

"""The published types: what the read surface says, field by field. An allow-list: nothing else ever leaves.

Names are camelCase on the wire. Times are RFC 3339 in UTC. Words of states are those of the deployment systems this
program takes over from. ``presenting`` makes these from what is published; ``api`` and ``cli`` only carry them.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from reconciler.status.parts import (
    SCHEMA_VERSION,
    ActionView,
    AddressView,
    BlockView,
    Body,
    CheckStatus,
    ConditionView,
    Connectivity,
    DomainStatus,
    DriftView,
    EdgeProxyStatus,
    GateView,
    HeldView,
    InstanceView,
    Lifecycle,
    MountView,
    Observed,
    Overall,
    ProblemView,
    Replicas,
    Revisions,
    RolloutView,
    RouteView,
    VariableView,
    View,
    VolumeView,
    WaitView,
)


class ResourceSummary(Observed):
    """One line of a list. ``id`` is project/environment/name."""

    id: str
    kind: str
    project: str
    environment: str
    name: str
    target: str = ""
    declared: bool = True
    desired_state: str
    health: Overall
    lifecycle: Lifecycle
    ready: str = "Unknown"
    reason: str = ""
    message: str = ""
    replicas: Replicas = Replicas()
    serving: str = ""
    url: str = ""
    since: datetime | None = None


class ResourceView(ResourceSummary, Body):
    manifest: str = ""
    source: str = ""
    hold: str = ""
    command: tuple[str, ...] = ()
    probe: str = ""
    depends_on: tuple[str, ...] = ()
    rollout: RolloutView = RolloutView()
    revision: Revisions = Revisions()
    conditions: tuple[ConditionView, ...] = ()
    instances: tuple[InstanceView, ...] = ()
    urls: tuple[str, ...] = ()
    routes: tuple[RouteView, ...] = ()
    addresses: tuple[AddressView, ...] = ()
    variables: tuple[VariableView, ...] = ()
    mounts: tuple[MountView, ...] = ()
    waits: tuple[WaitView, ...] = ()
    blocks: tuple[BlockView, ...] = ()
    gates: tuple[GateView, ...] = ()
    held: tuple[HeldView, ...] = ()
    drift: tuple[DriftView, ...] = ()


class DomainView(Observed, Body):
    """A declared domain. ``name`` is its document's, or its host and path where it has none."""

    id: str
    project: str
    environment: str
    name: str
    domain_name: str
    resource: str
    status: DomainStatus
    route: RouteView


class CertificateView(Body):
    """What everybody may know of a certificate; never what is secret."""

    id: str
    project: str
    environment: str
    name: str
    source: str
    status: str
    domains: tuple[str, ...]
    subject: str = ""
    names: tuple[str, ...] = ()
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    fingerprint: str = ""
    key: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    manifest: str = ""


class ProjectSummary(View):
    id: str
    name: str
    declared: bool = True
    health: Overall
    environments: int
    resources: int
    counts: dict[Overall, int] = Field(default_factory=dict)


class ProjectView(ProjectSummary, Body):
    display_name: str = ""
    description: str = ""
    manifest: str = ""
    environment_names: tuple[str, ...] = ()


class EnvironmentSummary(Observed):
    id: str
    project: str
    name: str
    target: str = ""
    health: Overall
    resources: int
    counts: dict[Overall, int] = Field(default_factory=dict)
    hold: str = ""
    message: str = ""


class EnvironmentView(EnvironmentSummary, Body):
    conditions: tuple[ConditionView, ...] = ()
    resource_names: tuple[str, ...] = ()
    volumes: tuple[VolumeView, ...] = ()
    waits: tuple[WaitView, ...] = ()
    blocks: tuple[BlockView, ...] = ()
    gates: tuple[GateView, ...] = ()


class ServerSummary(Observed):
    id: str
    name: str
    kind: str
    engine: str = ""
    lifecycle: str = ""
    connectivity: Connectivity
    message: str = ""
    edge_proxy: EdgeProxyStatus = EdgeProxyStatus.DISABLED
    environments: int = 0
    resources: int = 0
    instances: int = 0


class ServerView(ServerSummary, Body):
    manifest: str = ""
    edge: bool = False
    unknown: tuple[str, ...] = ()
    environment_ids: tuple[str, ...] = ()
    volumes: tuple[VolumeView, ...] = ()
    conditions: tuple[ConditionView, ...] = ()


class DeploymentSummary(View):
    id: str
    resource: str
    project: str
    environment: str
    name: str
    status: str
    trigger: str
    release: str
    generation: str
    revision: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    message: str = ""


class DeploymentView(DeploymentSummary, Body):
    snapshot: dict[str, object] = Field(default_factory=dict)


class EventView(View):
    id: int
    at: datetime | None = None
    type: str
    severity: str
    message: str
    resource: str = ""
    unit: str = ""
    revision: str = ""


class UnitPlanView(Observed):
    unit: str
    actions: tuple[ActionView, ...] = ()
    waits: tuple[WaitView, ...] = ()
    blocks: tuple[BlockView, ...] = ()
    held: tuple[HeldView, ...] = ()
    gates: tuple[GateView, ...] = ()


class StepView(View):
    """One step of the whole way: ``after`` is in seconds from now, ``waited`` what the way waited for before it."""

    after: float
    action: ActionView
    waited: tuple[str, ...] = ()


class PlanView(Body):
    """What every unit may do now, and the way to the end as the model has it, should everything go well. ``changes``
    says whether anything is to be done, allowed or not."""

    changes: bool
    counts: dict[str, int] = Field(default_factory=dict)
    units: tuple[UnitPlanView, ...] = ()
    way: tuple[StepView, ...] = ()
    source_errors: tuple[str, ...] = ()


class SourceView(View):
    name: str
    kind: str
    location: str
    ref: str = ""
    revision: Revisions = Revisions()
    author: str = ""
    subject: str = ""
    committed_at: datetime | None = None
    checked_at: datetime | None = None
    error: str = ""
    problems: tuple[ProblemView, ...] = ()
    ignored: dict[str, str] = Field(default_factory=dict)


class WorkView(View):
    unit: str
    kind: str
    status: str
    next_action: str
    trigger: str = ""
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    due_at: datetime | None = None
    error: str = ""


class CheckView(View):
    """``severity`` says what a failure means: an error (something does not work) or a warning (it may hurt later)."""

    name: str
    subject: str
    status: CheckStatus
    severity: str
    message: str
    remedy: str = ""


class DoctorView(Body):
    status: CheckStatus
    errors: int
    warnings: int
    checks: tuple[CheckView, ...]
    source_errors: tuple[str, ...] = ()


class LogLine(View):
    instance: str
    text: str


class LogsView(Body):
    resource: str
    tail: int
    lines: tuple[LogLine, ...]
    source_errors: tuple[str, ...] = ()


class StatusView(Body):
    """Everything on one screen. ``attention`` is worst first; what is healthy and in sync is only counted."""

    instance_id: str = ""
    started_at: datetime | None = None
    settled: bool
    health: Overall
    counts: dict[Overall, int]
    resources: tuple[ResourceSummary, ...]
    servers: tuple[ServerSummary, ...]
    sources: tuple[SourceView, ...]
    pending_actions: int
    blocks: tuple[BlockView, ...]
    gates: tuple[GateView, ...]
    holds: tuple[str, ...]


class Listing(Body):
    """A page. ``next_cursor`` is null on the last one; ``total`` counts what the filters let through."""

    total: int | None = None
    next_cursor: str | None = None


class Projects(Listing):
    items: tuple[ProjectSummary, ...]


class Environments(Listing):
    items: tuple[EnvironmentSummary, ...]


class Resources(Listing):
    items: tuple[ResourceSummary, ...]


class Domains(Listing):
    items: tuple[DomainView, ...]


class Certificates(Listing):
    items: tuple[CertificateView, ...]


class Servers(Listing):
    items: tuple[ServerSummary, ...]


class Deployments(Listing):
    items: tuple[DeploymentSummary, ...]


class Events(Listing):
    items: tuple[EventView, ...]


class DriftItems(Listing):
    items: tuple[DriftView, ...]


class Sources(Listing):
    items: tuple[SourceView, ...]


class Work(Listing):
    items: tuple[WorkView, ...]


class Fault(View):
    """One thing that is wrong with a request."""

    parameter: str = ""
    message: str


class ProblemBody(View):
    """An answer that is not what was asked for (RFC 9457), with everything that is wrong at once."""

    schema_version: str = SCHEMA_VERSION
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: tuple[Fault, ...] = ()

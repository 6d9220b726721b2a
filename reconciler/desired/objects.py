"""What should exist: the values that effective and resolve make, and that the planner and the drivers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.desired.bindings import Binding, Withheld
from reconciler.desired.evidence import Answer, CertificateFacts, CertificateFault, Question
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.problem import Position, Problem
from reconciler.observed.once import Once, grouped, once
from reconciler.observed.snapshot import RouteShape, generation_of

# --- values of environment variables: references travel, secret values do not ------------------------------------


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in clear."""

    text: str


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is: ``provider`` is file, env, sops, sealed or kubernetes; ``location`` what it says there."""

    provider: str
    location: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.location}"


@dataclass(frozen=True, slots=True)
class Link:
    """The stable internal address of another resource's port, resolved when an instance is created."""

    resource: ResourceKey
    port: str
    part: Literal["url", "address", "host", "port"] = "url"

    def __str__(self) -> str:
        return f"{self.resource.name}:{self.port}:{self.part}"


@dataclass(frozen=True, slots=True)
class Composite:
    """A template over the resource's own variables: ``$(NAME)`` is filled in, ``$$(`` is a literal ``$(``."""

    template: str


Value = Plain | SecretRef | Link | Composite


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a variable's value was written: the level (defaults, system, project, environment, resource, override).

    ``masked``: its name says that it is a secret, though it stands in a file in clear.
    """

    level: str
    place: Position
    masked: bool = False


# --- what an instance is made of -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of a source, filtered. ``id`` is the digest of ``files`` (path in the folder, blob, executable)."""

    id: str
    source: str
    files: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a release runs from: a folder's tree id, or an image's digest; ``commands`` build it further, once.

    ``name`` is what a target keeps it under: the tree's id, or ``build-`` and a digest of tree and commands.
    """

    kind: Literal["tree", "image"]
    id: str
    name: str
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Mount:
    """``volume`` is the volume's object name on the target; ``env`` the variable that passes its place."""

    path: str
    volume: str
    mode: Literal["rw", "ro"] = "rw"
    env: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """``number`` is what the program is expected to listen on; 0 where the engine assigns it (process engine).

    ``fixed``: instances bind its stable address themselves, because no listener of an edge stands before them.
    """

    name: str
    number: int
    main: bool = False
    protocol: Literal["tcp", "udp"] = "tcp"
    fixed: bool = False
    host_port: int = 0
    bind: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Probe:
    """What health means: a request, a connect, a command, or (``quiet``) not exiting for a while. No timings.

    ``port`` is a port's name; ``host`` the Host header; ``statuses`` empty means 2xx and 3xx.
    """

    kind: Literal["http", "tcp", "command", "quiet"]
    path: str = ""
    port: str = ""
    method: str = "GET"
    scheme: str = "http"
    host: str = ""
    statuses: tuple[int, ...] = ()
    text: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """All that an instance is made of: exactly this is hashed into the release."""

    artifact: Artifact
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, Value], ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    probe: Probe = Probe("quiet")
    working_dir: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a generation replaces another. Seconds. ``why`` says why it is stop-first, in words for people."""

    stop_first: bool = False
    why: str = ""
    timeout: float = 120.0
    drain: float = 30.0
    keep: int = 3
    data: bool = False
    restart_previous: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseCommand:
    """Runs in the new release before any of its instances, and succeeds at most once per release."""

    command: tuple[str, ...]
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Workload:
    """One resource in one environment: what its instances are, how many, and how they are replaced.

    ``release`` is the template's digest (64 hex digits), ``stamp`` that of restart and redeploy tokens and of secret
    values (12 hex digits, "" when there are none); ``older_stamps`` say the same under older digest keys, so that a new
    key replaces nothing. ``settings`` may change in place, on what runs. ``static``: nothing runs, the edge serves its
    artifact. ``hold`` says why nothing may be applied to it.
    """

    key: ResourceKey
    unit: UnitKey
    template: Template
    release: str
    stamp: str = ""
    older_stamps: frozenset[str] = frozenset()
    replicas: int = 1
    rollout: Rollout = Rollout()
    settings: Mapping[str, str] = field(default_factory=dict)
    release_command: ReleaseCommand | None = None
    depends_on: tuple[ResourceKey, ...] = ()
    running: bool = True
    static: bool = False
    reconcile_token: str = ""
    hold: str = ""
    report_drift: bool = False
    source: str = ""
    place: Position = Position("")
    origins: Mapping[str, Origin] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()  # worth saying, and no reason to stop

    @property
    def generation(self) -> str:
        return generation_of(self.release, self.stamp)


@dataclass(frozen=True, slots=True)
class VolumeObject:
    key: ResourceKey
    unit: UnitKey
    name: str
    deletion: Literal["retain", "delete"] = "retain"
    bind_path: str = ""  # a bind-mount's place on the host; "" for a volume that we make
    source: str = ""
    place: Position = Position("")


@dataclass(frozen=True, slots=True)
class RouteObject:
    """A host and path, or a stable address, that leads to a port of a resource.

    ``id`` is host + path, or the address's name; ``internal`` then, and the shape gets its ``listen`` from the target.
    ``withheld``: its first appearance has to wait. ``binding`` is what a public one was made from.
    """

    id: str
    resource: ResourceKey
    unit: UnitKey
    port: str = ""
    shape: RouteShape = RouteShape()
    internal: bool = False
    place: Position = Position("")
    withheld: Withheld | None = None
    binding: Binding | None = None


@dataclass(frozen=True, slots=True)
class EdgeCertificate:
    """A certificate that was brought along, for an edge: ``name`` is what routes have as their ``tls``, and another for
    another certificate. ``secret`` leads to its PEM (certificate, chain and key), and is resolved only while the edge
    is written."""

    name: str
    secret: SecretRef


@dataclass(frozen=True, slots=True)
class CertificateObject:
    """A Certificate in one environment. ``usable`` is None for a managed one, and while anything is wrong with it:
    ``faults`` say what it is then, and why. ``hosts`` are those that it was declared for, as the network knows them."""

    key: ResourceKey
    source: Literal["managed", "imported"]
    hosts: tuple[str, ...]
    facts: CertificateFacts | None = None
    usable: EdgeCertificate | None = None
    faults: tuple[tuple[CertificateFault, str], ...] = ()
    place: Position = Position("")


@dataclass(frozen=True, slots=True)
class EdgeObject:
    """An edge proxy of ours: where it listens ("host:port"; "" not at all), and who issues its certificates."""

    http: str = ":80"
    https: str = ":443"
    acme_email: str = ""
    acme_ca: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalObject:
    """What somebody committed to let one gate's set through. ``expires_at`` is in epoch seconds."""

    name: str
    gate: str
    reason: str
    expires_at: float
    source: str = ""
    place: Position = Position("")


@dataclass(frozen=True, slots=True)
class TargetObject:
    """A Server or a Cluster, as far as planning needs it. ``edge``: the edge proxy that we own there."""

    key: ResourceKey
    engine: Literal["process", "docker", "kubernetes"]
    lifecycle: Literal["active", "inactive", "decommissioned"] = "active"
    edge: EdgeObject | None = None
    port_range: tuple[int, int] = (20000, 29999)
    bind_paths: tuple[str, ...] = ()
    default_domain: str | None = None  # a template; "" says that there is none, None leaves it to the settings
    source: str = ""
    place: Position = Position("")


@dataclass(frozen=True, slots=True)
class UnitPolicy:
    """``hold`` says why nothing may be applied in the unit ("" when it may): planned and shown, never applied."""

    hold: str = ""
    message: str = ""
    report_drift: bool = False
    reconcile_token: str = ""


@dataclass(frozen=True, slots=True)
class DesiredBlock:
    """A declared identity that cannot be planned as written: ``reason`` is a condition's word. What runs, stays."""

    key: ResourceKey
    unit: UnitKey | None
    reason: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Held:
    """Identities whose desired state is unknown. They count as declared, and no Approval opens them."""

    keys: frozenset[ResourceKey] = frozenset()
    projects: frozenset[str] = frozenset()
    environments: frozenset[tuple[str, str]] = frozenset()
    targets: frozenset[ResourceKey] = frozenset()
    sources: frozenset[str] = frozenset()

    def holds(self, key: ResourceKey, *, target: ResourceKey | None = None, source: str = "") -> bool:
        return (
            key in self.keys
            or key.written in self.keys
            or (bool(key.project) and key.project in self.projects)
            or (key.project, key.environment) in self.environments
            or target in self.targets
            or source in self.sources
        )


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything wanted, of all units. Sequences are sorted by key; ``declared`` maps an identity to its source.

    ``revisions`` maps each source to the revision this was made from. ``projects`` and ``environments`` are those that
    are declared, so that one vanishing can be told from its resources going one by one.
    """

    revisions: Mapping[str, str] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    volumes: tuple[VolumeObject, ...] = ()
    routes: tuple[RouteObject, ...] = ()
    certificates: tuple[CertificateObject, ...] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)  # of the DNS, to the questions of the routes
    targets: Mapping[ResourceKey, TargetObject] = field(default_factory=dict)
    units: Mapping[UnitKey, UnitPolicy] = field(default_factory=dict)
    declared: Mapping[ResourceKey, str] = field(default_factory=dict)
    deleted: frozenset[ResourceKey] = frozenset()  # explicit desiredState: deleted
    renamed: Mapping[ResourceKey, ResourceKey] = field(default_factory=dict)  # old identity -> new
    named: frozenset[ResourceKey] = frozenset()  # not declared, and still named by something that is
    projects: frozenset[str] = frozenset()
    environments: frozenset[tuple[str, str]] = frozenset()
    held: Held = Held()
    blocks: tuple[DesiredBlock, ...] = ()
    approvals: tuple[ApprovalObject, ...] = ()
    trees: Mapping[str, Tree] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    _workloads: Once[dict[ResourceKey, Workload]] = once()
    _routes: Once[dict[tuple[ResourceKey, UnitKey], list[RouteObject]]] = once()
    _planned: Once[frozenset[ResourceKey]] = once()

    def workload(self, key: ResourceKey) -> Workload | None:
        """The one of this identity, in whatever unit."""
        return self._workloads.get(lambda: {w.key: w for w in self.workloads}).get(key)

    def routes_of(self, resource: ResourceKey, unit: UnitKey) -> list[RouteObject]:
        """The routes of one resource in one unit, in their order."""
        return self._routes.get(lambda: grouped(self.routes, by=lambda r: (r.resource, r.unit))).get(
            (resource, unit), []
        )

    @property
    def planned(self) -> frozenset[ResourceKey]:
        """Identities of all workloads and volumes."""
        return self._planned.get(lambda: frozenset({w.key for w in self.workloads} | {v.key for v in self.volumes}))

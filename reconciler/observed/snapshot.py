"""One target as it was seen. A collection named in ``unknown`` was not read completely: it proves no absence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.once import Once, grouped, once


class State(StrEnum):
    """What an instance is doing, by its engine's word."""

    CREATED = "created"  # on record, never started
    RUNNING = "running"
    EXITED = "exited"  # ended by itself; its engine restarts it with backoff
    STOPPED = "stopped"  # ended by us


class Health(StrEnum):
    UNKNOWN = "unknown"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class JobState(StrEnum):
    CREATED = "created"  # on record and not started: the receipt
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"  # it started, and nobody recorded how it ended


class Collection(StrEnum):
    """What is observed separately, and can be unknown separately."""

    INSTANCES = "instances"
    VOLUMES = "volumes"
    ADDRESSES = "addresses"
    JOBS = "jobs"
    ARTIFACTS = "artifacts"
    VERDICTS = "verdicts"
    ROUTES = "routes"


def generation_of(release: str, stamp: str) -> str:
    """The generation: release and stamp together."""
    return f"{release}+{stamp}" if stamp else release


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy. ``release`` is the full digest (64 hex digits), ``stamp`` 12 hex digits or "".

    ``uid`` is new for every creation under the same name. ``created`` only orders. ``ours`` says that its mark proves
    it. ``settings`` are the values that may change in place, as recorded. ``ports`` are where it listens, by port name.
    ``detail`` is what a person wants to read (the probe's last answer, the exit code), ``note`` a standing remark that
    is no evidence of anything (it is not isolated); ``since`` is in epoch seconds.
    """

    name: str
    uid: str
    key: ResourceKey
    unit: UnitKey
    release: str
    stamp: str
    ordinal: int
    state: State
    health: Health = Health.UNKNOWN
    created: float = 0.0
    ours: bool = True
    exits: int = 0
    artifact: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    pid: int = 0
    detail: str = ""
    note: str = ""
    since: float = 0.0

    @property
    def generation(self) -> str:
        return generation_of(self.release, self.stamp)

    @property
    def up(self) -> bool:
        return self.state is State.RUNNING

    @property
    def good(self) -> bool:
        return self.up and self.health is Health.HEALTHY

    @property
    def sick(self) -> bool:
        """Evidence against its generation; missing, starting and unknown are none."""
        return self.state is State.EXITED or (self.up and self.health is Health.UNHEALTHY)


@dataclass(frozen=True, slots=True)
class Volume:
    name: str
    uid: str
    key: ResourceKey
    unit: UnitKey
    ours: bool = True
    path: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A reserved, stable internal address of (environment, resource, port): releases do not change it.

    ``ordinal`` tells replicas apart where instances bind it themselves (no edge); 0 is the one links lead to.
    """

    name: str
    key: ResourceKey
    unit: UnitKey
    port_name: str
    host: str
    port: int
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A one-off workload with an exit code: a build, a release command. ``slot`` is what it is the receipt of."""

    name: str
    uid: str
    key: ResourceKey
    unit: UnitKey
    slot: str
    state: JobState
    exit_code: int | None = None
    detail: str = ""
    created: float = 0.0
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """A generation failed. ``token`` is the reconcileToken under which it was tried."""

    key: ResourceKey
    unit: UnitKey
    generation: str
    token: str
    message: str


@dataclass(frozen=True, slots=True)
class RouteShape:
    """What a request must look like, and what becomes of it, beside who answers.

    With ``listen`` ("host:port") it is a listener of its own, a stable internal address; without, it is reached through
    the edge's public listeners by ``host`` and ``path``. ``redirect_to`` (a host) or ``static`` (an artifact's name)
    answer in place of instances. ``tls``: "" plain http; ``auto`` a public certificate; ``internal`` one of the edge's
    own authority; else the name of an imported certificate. ``drain`` is how long open streams outlive a change, in
    seconds.
    """

    host: str = ""
    path: str = "/"
    strip_prefix: bool = False
    listen: str = ""
    redirect_to: str = ""
    redirect_status: int = 0
    static: str = ""
    tls: str = ""
    drain: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """What the edge does with one host and path, or one stable address. ``upstreams`` are instance names, ``dials``
    where each of them listens ("host:port"). ``altered``: what the edge does is not what was written there by us."""

    id: str
    resource: ResourceKey
    unit: UnitKey
    upstreams: frozenset[str] = frozenset()
    shape: RouteShape = RouteShape()
    dials: Mapping[str, str] = field(default_factory=dict)
    ours: bool = True
    altered: bool = False


class EdgeState(StrEnum):
    """The edge proxy itself."""

    ABSENT = "absent"  # never started here
    RUNNING = "running"
    DOWN = "down"  # on record, and not answering


@dataclass(frozen=True, slots=True)
class Edge:
    """``listening`` are its public addresses ("host:port"); ``settings`` what it was last told of itself, by the fields
    of an ``EdgeObject`` and as text; ``altered``: beside its routes somebody else changed something of ours; ``detail``
    is for people."""

    state: EdgeState = EdgeState.ABSENT
    detail: str = ""
    listening: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    altered: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Everything seen on one target at ``observed_at`` (epoch seconds)."""

    observed_at: float = 0.0
    instances: Mapping[str, Instance] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    addresses: Mapping[str, Address] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    artifacts: frozenset[str] = frozenset()
    verdicts: Mapping[ResourceKey, Verdict] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    edge: Edge = Edge()
    unknown: frozenset[Collection] = frozenset()
    trouble: str = ""  # why something is unknown, for people
    _ours: Once[dict[ResourceKey, list[Instance]]] = once()
    _routed: Once[dict[ResourceKey, frozenset[str]]] = once()

    def of(self, key: ResourceKey) -> list[Instance]:
        """The instances of one resource that prove to be ours, by name."""
        return list(self._ours.get(self._by_resource).get(key, ()))

    def routed(self, key: ResourceKey) -> frozenset[str]:
        """The instances that any route of this resource leads to."""
        return self._routed.get(self._upstreams).get(key, frozenset())

    def _by_resource(self) -> dict[ResourceKey, list[Instance]]:
        ours = sorted((i for i in self.instances.values() if i.ours), key=lambda i: i.name)
        return grouped(ours, by=lambda i: i.key)

    def _upstreams(self) -> dict[ResourceKey, frozenset[str]]:
        routes = grouped((r for r in self.routes.values() if r.ours), by=lambda r: r.resource)
        return {key: frozenset(u for route in found for u in route.upstreams) for key, found in routes.items()}

    def knows(self, *collections: Collection) -> bool:
        return not self.unknown.intersection(collections)


BLIND = Target(unknown=frozenset(Collection))
"""A target that could not be looked at: everything is unknown."""

Snapshot = Mapping[ResourceKey, Target]
"""What was seen, by target; a target that is absent is as unknown as ``BLIND``."""

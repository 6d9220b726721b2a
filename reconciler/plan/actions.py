"""The words of a plan: actions and what they carry, waits, blocks, gates, claims, progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from reconciler.desired.objects import EdgeCertificate, EdgeObject, Tree, VolumeObject, Workload
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Route, Verdict


class Verb(StrEnum):
    """One verb is one atomic backend call. Every one may be repeated: what is already so is success."""

    CREATE = "create"  # an instance, and start it
    START = "start"
    STOP = "stop"
    REMOVE = "remove"
    UPDATE = "update"  # settings of an instance, in place
    CREATE_VOLUME = "create-volume"
    DELETE_VOLUME = "delete-volume"
    RESERVE_ADDRESS = "reserve-address"
    RELEASE_ADDRESS = "release-address"
    EXPORT_TREE = "export-tree"
    REMOVE_ARTIFACT = "remove-artifact"
    CREATE_JOB = "create-job"  # put-if-absent: the receipt
    START_JOB = "start-job"
    REMOVE_JOB = "remove-job"
    RECORD_VERDICT = "record-verdict"
    CLEAR_VERDICT = "clear-verdict"
    START_EDGE = "start-edge"
    STOP_EDGE = "stop-edge"
    CONFIGURE_EDGE = "configure-edge"  # all of its routes that are ours, in one write


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What CREATE makes. ``links`` are the resolved texts of the workload's links, by variable name;
    ``addresses`` the ports that the instance is to bind itself, by port name ({} where the engine assigns them)."""

    workload: Workload
    ordinal: int
    links: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressSpec:
    """What RESERVE_ADDRESS makes: a port out of ``port_range`` (inclusive), or ``host_port`` when it is not 0."""

    key: ResourceKey
    unit: UnitKey
    port_name: str
    ordinal: int
    port_range: tuple[int, int]
    host_port: int = 0
    bind: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What CREATE_JOB puts on record. A build runs its commands one after the other in a writable copy of its tree and
    leaves it as the artifact ``artifact``; a release command runs as an instance of the workload would."""

    kind: Literal["build", "release"]
    workload: Workload
    slot: str
    commands: tuple[tuple[str, ...], ...]
    timeout: float
    artifact: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeSpec:
    """What START_EDGE and CONFIGURE_EDGE write: every route that is ours, sorted by id, and where the edge listens.

    ``certificates`` are those that routes name as their ``tls``, as references: whoever writes resolves them then. A
    route may name one that is not among them, because its secret holds another by now, or nothing that can be used:
    it keeps what was written for it before.
    """

    edge: EdgeObject
    routes: tuple[Route, ...] = ()
    certificates: tuple[EdgeCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsSpec:
    """What UPDATE writes: the settings whole."""

    settings: Mapping[str, str]


Payload = InstanceSpec | AddressSpec | JobSpec | EdgeSpec | SettingsSpec | VolumeObject | Tree | Verdict | None


@dataclass(frozen=True, order=True, slots=True)
class Action:
    """One call. ``expects`` is the uid it must find ("" for: nothing there). ``drift`` says that it repairs what
    changed behind our back."""

    unit: UnitKey
    key: ResourceKey
    verb: Verb
    name: str
    cause: str = field(default="", compare=False)
    expects: str = field(default="", compare=False)
    payload: Payload = field(default=None, compare=False)
    drift: bool = field(default=False, compare=False)


@dataclass(frozen=True, order=True, slots=True)
class Wait:
    """``until`` is in epoch seconds when time alone ends it, None when something must be seen."""

    key: ResourceKey
    what: str
    until: float | None = field(default=None, compare=False)


@dataclass(frozen=True, order=True, slots=True)
class Block:
    """Only somebody's doing ends it: ``reason`` is a condition's word, ``message`` says what to do."""

    key: ResourceKey
    reason: str
    message: str = ""


@dataclass(frozen=True, order=True, slots=True)
class HeldAction:
    """An action that is planned and shown, and not applied because of ``reason``."""

    action: Action
    reason: str


class GateReason(StrEnum):
    MASS = "mass"
    DATA = "data"
    MOVE = "move"
    DECOMMISSION = "decommission"
    ORPHAN = "orphan"


@dataclass(frozen=True, order=True, slots=True)
class Gate:
    """A set of identities that one Approval lets through. ``digest`` is what the Approval names."""

    reason: GateReason
    source: str
    identities: tuple[ResourceKey, ...]
    digest: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """What became of an Approval, by name. It opens its gate once: ``accepted`` names what may go, and in which units;
    each unit marks its own entries and is then in ``used``. ``void``: it was in git before this ledger was.

    Everything but ``used`` is written once and never changes; ``used`` only grows, whoever writes it.
    """

    name: str
    gate: str
    state: Literal["accepted", "void"]
    identities: frozenset[ResourceKey] = frozenset()
    units: frozenset[UnitKey] = frozenset()
    used: frozenset[UnitKey] = frozenset()

    def over(self, known: ApprovalRecord | None) -> ApprovalRecord:
        """What is on record once this is written over what was known of the same Approval."""
        return self if known is None else replace(known, used=known.used | self.used)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an environment says of a route of its own; ``upstreams`` None: it is wanted, leave it as it is.

    ``static`` is the artifact that a static site is served from.
    """

    id: str
    resource: ResourceKey
    unit: UnitKey
    upstreams: frozenset[str] | None = None
    static: str = ""


Claims = Mapping[UnitKey, Mapping[str, Claim]]
"""The latest claims of every unit that has spoken in this daemon's life, by route id and resource."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What passes remember of one resource. Lost, it may delay or repeat a rollout; it never deletes.

    ``generation`` is rolled out or serves; ``began`` is when it was first wanted, or tried again, and ``since`` when
    its first instance was to be made (both epoch seconds, 0: not yet); ``accepted``: all
    replicas were healthy once; ``previous`` is the last accepted generation before it; ``rejected`` are generations
    that were superseded or failed before they were accepted and are still seen; ``leaving`` are instances that are to
    go and leave their route first, ``drains`` is since when each is out of it; ``token`` the reconcileToken that
    ``failed`` speaks of.
    """

    generation: str
    since: float
    began: float = 0.0
    accepted: bool = False
    failed: bool = False
    message: str = ""
    previous: str = ""
    token: str = ""
    rejected: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    drains: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an instance that is not as declared."""

    field: str
    wanted: str
    live: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What one unit may do now, and what must be on record before it does.

    ``inventory`` and ``claims`` are None when nothing can be said because the observation is incomplete: what is on
    record stays. ``approvals`` are records to write. ``requeue_after`` is in seconds, None when no timed wait is open.
    """

    unit: UnitKey
    actions: tuple[Action, ...] = ()
    waits: tuple[Wait, ...] = ()
    blocks: tuple[Block, ...] = ()
    held: tuple[HeldAction, ...] = ()
    gates: tuple[Gate, ...] = ()
    progress: Mapping[ResourceKey, Progress] = field(default_factory=dict)
    inventory: Mapping[ResourceKey, Entry] | None = None
    approvals: tuple[ApprovalRecord, ...] = ()
    claims: Mapping[str, Claim] | None = None
    requeue_after: float | None = None

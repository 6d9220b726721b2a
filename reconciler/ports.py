"""The seams: what the core needs of the world, as small protocols. Real adapters and official fakes stand behind them.

Time, randomness and every outside call go through here, so that a test can fail, delay, cut or lose any one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reconciler.desired.evidence import Answer, CertificateFacts, Question
from reconciler.desired.objects import SecretRef, Workload
from reconciler.errors import ReconcilerError
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.revision import Revision
from reconciler.observed.snapshot import Edge, Instance, Route, Target
from reconciler.plan.actions import Action, ApprovalRecord, Difference, EdgeSpec, Progress
from reconciler.status.conditions import Condition
from reconciler.status.records import Deployment, Event


class Clock(Protocol):
    """Epoch seconds, and a monotonic clock for durations."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


class Masked(Protocol):
    """A secret value: its ``str`` and ``repr`` are ``****``."""

    def reveal(self) -> bytes:
        """The value itself. Called only inside a driver's write."""
        ...


class SecretResolver(Protocol):
    """Values and keyed digests of secrets. Raises ``SecretUnavailable`` with the reference and the next step."""

    def resolve(self, reference: SecretRef) -> Masked: ...

    def digests(self, reference: SecretRef) -> tuple[str, ...]:
        """``<key id>:<hex>``, an HMAC of the value, under every digest key; the newest first."""
        ...


class NameServers(Protocol):
    """The DNS."""

    def ask(self, question: Question) -> Answer:
        """What the authoritative servers say now. Never raises, and takes a bounded time."""
        ...


class CertificateReader(Protocol):
    """Certificates in secrets."""

    def read(self, reference: SecretRef) -> CertificateFacts:
        """What everybody may know of it, and what is wrong with it now. Never raises."""
        ...


class BlobReader(Protocol):
    """The bytes of blobs of a source. Raises ``SourceUnavailable``; never returns fewer than were asked for."""

    def read(self, source: str, blobs: Iterable[str]) -> Mapping[str, bytes]: ...


class Source(Protocol):
    """Where manifests come from."""

    name: str

    def revision(self) -> Revision:
        """The newest revision; raises ``SourceUnavailable``. The same id means nothing changed."""
        ...

    def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]: ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls back, from a thread of its own, when something may have changed. A hint: timers are enough."""
        ...

    def close(self) -> None: ...


class TargetDriver(Protocol):
    """One target. Translates, and decides nothing."""

    key: ResourceKey

    def observe(self) -> Target:
        """What is there now. A part that cannot be read is named in ``unknown``; raises ``Unreachable`` when all is."""
        ...

    def apply(self, action: Action) -> None:
        """One call. May be repeated; what is already so is success. Raises from the tree in ``errors``."""
        ...

    def compare(self, workload: Workload, instance: Instance) -> tuple[Difference, ...]:
        """The fields of an instance of this workload's generation that are not as declared. Pure."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Begins to supervise, and calls back when something on the target changed (exit, health, job done)."""
        ...

    def logs(self, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        """Lines of an instance's or a job's output, oldest first, at most ``tail`` of what is there; with ``follow``
        goes on until closed, and yields "" about once a second while nothing new comes, so that the reader can leave.
        Raises ``InvalidInput`` for a name that is not there."""
        ...

    def close(self) -> None:
        """Ends supervision. No workload ends with it."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeProgram:
    """What runs an edge proxy: its argument vector, and all of its environment but PATH."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EdgeReading:
    """What a running edge proxy does: for itself, and with each route, others' in our listeners included."""

    edge: Edge
    routes: Mapping[str, Route]


class EdgeProxy(Protocol):
    """The language of one edge proxy in a folder of its own. The driver of the target runs it, and tells it through
    this; it never runs anything itself."""

    def program(self, *, resume: bool = True) -> EdgeProgram:
        """Makes the folder ready for a start, with what it last did (``resume``) or with nothing. It must be started
        in that folder. Raises ``InvalidInput`` when the program cannot be had."""
        ...

    def read(self) -> EdgeReading:
        """One request. Raises ``Unreachable``."""
        ...

    def write(self, spec: EdgeSpec) -> None:
        """At most one write; what is so already is none. Others' settings survive. Raises from the tree."""
        ...

    def why(self, output: Sequence[str]) -> ReconcilerError:
        """The error for one that ended while it was to start, out of its last lines of output."""
        ...


EdgeMaker = Callable[[Path, Callable[[str], str]], EdgeProxy]
"""Makes the edge proxy of a folder; the second argument says where an artifact lies that it serves."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a ledger holds at the start of a daemon's life. ``fresh``: it was just made, so nothing is remembered, and
    Approvals that are in git already are void."""

    fresh: bool = True
    inventory: Inventory = field(default_factory=dict)
    progress: Mapping[UnitKey, Mapping[ResourceKey, Progress]] = field(default_factory=dict)
    approvals: Mapping[str, ApprovalRecord] = field(default_factory=dict)
    declared_by: Mapping[tuple[str, str], frozenset[ResourceKey]] = field(default_factory=dict)
    conditions: Mapping[ResourceKey | UnitKey, tuple[Condition, ...]] = field(default_factory=dict)
    applied: Mapping[str, str] = field(default_factory=dict)  # source -> revision
    holds: frozenset[ResourceKey | UnitKey] = frozenset()


class Ledger(Protocol):
    """History and memory. Writes return when they are on disk, and raise ``TransientError`` when they are not.

    A write of what is already there writes nothing.
    """

    def load(self) -> Remembered:
        """Raises ``LedgerDamaged``; a ledger that is merely absent is a fresh one."""
        ...

    def commit_plan(
        self,
        unit: UnitKey,
        *,
        inventory: Mapping[ResourceKey, Entry] | None,
        progress: Mapping[ResourceKey, Progress],
        approvals: Sequence[ApprovalRecord] = (),
    ) -> None:
        """In one transaction, ahead of the actions; ``inventory`` None leaves the unit's as it is."""
        ...

    def save_declared(self, source: str, declared: Mapping[tuple[str, str], frozenset[ResourceKey]]) -> None:
        """Replaces what the paths of one source declare."""
        ...

    def save_conditions(self, conditions: Mapping[ResourceKey | UnitKey, tuple[Condition, ...]]) -> None:
        """Replaces the conditions of the given subjects; an empty tuple forgets one."""
        ...

    def save_applied(self, source: str, revision: str) -> None: ...

    def save_holds(self, holds: frozenset[ResourceKey | UnitKey]) -> None: ...

    def append(self, events: Sequence[Event]) -> None: ...

    def put_deployment(self, deployment: Deployment) -> None:
        """By id. Only ``status``, ``finished_at`` and ``message`` of a known one may differ, its snapshot never."""
        ...

    def close(self) -> None: ...


class History(Protocol):
    """Reads of the ledger, from any thread, never waiting for its writer."""

    def events(
        self, *, key: ResourceKey | None = None, type: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[Event]:
        """Newest first; ``key`` without an environment matches every one; ``before`` is an event id (0: the newest)."""
        ...

    def deployments(
        self, *, key: ResourceKey | None = None, status: str = "", before: str = "", limit: int = 100
    ) -> list[Deployment]:
        """Newest first; ``before`` is a deployment id."""
        ...

    def deployment(self, id: str) -> Deployment | None: ...

"""The seams: what the core needs of the world, as small protocols. Real adapters and official fakes stand behind them.

Time, randomness and every outside call go through here, so that a test can fail, delay, cut or lose any one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from reconciler.desired.objects import SecretRef, Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.revision import Revision
from reconciler.observed.snapshot import Instance, Target
from reconciler.plan.actions import Action, Difference


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

    def digest(self, reference: SecretRef) -> str:
        """``<key id>:<hex>``: an HMAC of the value under the newest digest key."""
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
        goes on until closed. Raises ``InvalidInput`` for a name that is not there."""
        ...

    def close(self) -> None:
        """Ends supervision. No workload ends with it."""
        ...

"""What the read surface needs of whoever runs it: one value to show, history, logs, and a few measured facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.manifests.identity import ResourceKey
from reconciler.ports import Clock, History
from reconciler.status.presenting.doctor import Facts
from reconciler.status.published import Published


class Board(Protocol):
    """Where the daemon puts what it publishes."""

    def published(self) -> Published:
        """The newest value; never waits."""
        ...

    def wait(self, serial: int, timeout: float) -> Published:
        """Returns as soon as there is another serial than ``serial``, else after ``timeout`` seconds."""
        ...


class LogReader(Protocol):
    """Output of what runs, by target."""

    def logs(self, target: ResourceKey, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        """Lines, oldest first, at most ``tail`` of those that are there. Following, it goes on until closed, and
        yields "" about once a second while nothing new comes. Raises from the tree in ``errors``."""
        ...


def no_metrics() -> bytes:
    return b""


def as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and how many at once: ``streams`` of events and logs, ``watchers`` of pages that are looked at."""

    poll: float = 0.5
    heartbeat: float = 15.0
    log_deadline: float = 10.0
    streams: int = 16
    watchers: int = 64


@dataclass(frozen=True, slots=True)
class Surface:
    """``redact`` masks known secret values in a text, and is the last thing that happens to anything that leaves.

    ``token`` "" means that only direct requests from this machine are answered.
    """

    board: Board
    history: History
    logs: LogReader
    clock: Clock
    metrics: Callable[[], bytes] = no_metrics
    facts: Callable[[], Facts] = Facts
    redact: Callable[[str], str] = as_it_is
    token: str = field(default="", repr=False)
    limits: Limits = Limits()

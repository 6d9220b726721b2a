"""Small real fakes for the runtime: a clock that stands still until told, units, queues without jitter."""

from __future__ import annotations

import pytest

from reconciler.manifests.identity import UnitKey, server
from reconciler.runtime.backoff import Backoff
from reconciler.runtime.workqueue import WorkQueue


class FakeClock:
    """Both clocks of the port, moved by hand."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - 999_000.0

    def advance(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backoff() -> Backoff:
    return Backoff(random=lambda: 1.0)


@pytest.fixture
def queue(clock: FakeClock, backoff: Backoff) -> WorkQueue:
    return WorkQueue(clock, backoff)


@pytest.fixture
def unit() -> UnitKey:
    return UnitKey(server("here"), "shop", "production")


@pytest.fixture
def other() -> UnitKey:
    return UnitKey(server("here"), "shop", "staging")

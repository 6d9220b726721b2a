"""What every part of the driver works on: one state root, whose marks it bears, and the seams to the world."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.drivers.process.layout import Layout
from reconciler.drivers.process.record import Mark, Reader
from reconciler.ports import Clock

Steps = Callable[[str], None]
"""Told before and after each step that leaves a trace outside this process, as ``verb:step``."""


def unobserved(_step: str) -> None:
    """Nobody wants to be told."""


class Locks:
    """One lock for each name, so that an action and the supervisor never work on one instance at a time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def _of(self, name: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        with self._of(name):
            yield

    @contextmanager
    def attempt(self, name: str) -> Iterator[bool]:
        """Whether the lock could be had at once."""
        lock = self._of(name)
        held = lock.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                lock.release()


@dataclass(frozen=True, slots=True)
class Site:
    """``port_range`` (inclusive) is where instances get their ports from."""

    layout: Layout
    instance_id: str
    clock: Clock
    step: Steps = unobserved
    port_range: tuple[int, int] = (20000, 29999)
    reader: Reader = field(default_factory=Reader)
    locks: Locks = field(default_factory=Locks)

    @property
    def root(self) -> str:
        return str(self.layout.root)

    def mark(self, kind: str, name: str) -> Mark:
        return Mark(kind, name, self.instance_id)

    def new_uid(self) -> str:
        return uuid.uuid4().hex

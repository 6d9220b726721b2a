"""The queue of units, with the semantics of client-go's: level-triggered, one pass per unit at a time.

A unit added while it is being worked on runs once more afterwards, never beside itself. However often it is added
while it waits, it runs once. Taking a unit forgets its delayed adds: its pass says when the next one is due. Reasons
are kept for people only; no pass reads them.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from dataclasses import dataclass, replace

from reconciler.errors import TerminalError
from reconciler.manifests.identity import UnitKey
from reconciler.ports import Clock
from reconciler.runtime.backoff import Backoff
from reconciler.status.published import WorkItem

RESYNC = "resync"
"""The trigger of the safety net: a queue in which only this is due is idle."""


@dataclass(frozen=True, order=True, slots=True)
class _Due:
    at: float  # monotonic
    order: int
    unit: UnitKey
    trigger: str


class WorkQueue:
    """Thread-safe. ``clock`` drives every delay, so that a fake one drives the whole queue."""

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock = clock
        self._backoff = backoff
        self._changed = threading.Condition()
        self._ready: deque[UnitKey] = deque()
        self._dirty: dict[UnitKey, str] = {}  # unit -> trigger
        self._processing: set[UnitKey] = set()
        self._due: dict[UnitKey, _Due] = {}
        self._heap: list[_Due] = []  # entries that are no longer in _due are skipped
        self._order = itertools.count()
        self._items: dict[UnitKey, WorkItem] = {}
        self._stopped = False

    def add(self, unit: UnitKey, trigger: str) -> None:
        """Runs the unit as soon as a worker is free."""
        with self._changed:
            self._add(unit, trigger)
            self._changed.notify_all()

    def add_after(self, unit: UnitKey, delay: float, trigger: str) -> None:
        """Runs the unit in ``delay`` seconds, unless something runs it before; the earliest of several counts."""
        with self._changed:
            self._schedule(unit, delay, trigger)
            self._changed.notify_all()

    def get(self, *, timeout: float | None = None) -> UnitKey | None:
        """The next unit to work on; None after ``timeout`` seconds or when the queue was stopped.

        Whoever gets a unit owes a ``done`` for it.
        """
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        with self._changed:
            while not self._stopped:
                self._promote()
                if self._ready:
                    return self._take()
                wait = self._wait(deadline)
                if wait is not None and wait <= 0:
                    return None
                self._changed.wait(wait)
        return None

    def done(
        self, unit: UnitKey, *, error: BaseException | None = None, after: float | None = None, trigger: str = RESYNC
    ) -> None:
        """Ends a pass. After an error the backoff says when the unit is due, else ``after`` (seconds; None: never).

        An error with ``after`` is due then: whoever ran the pass knows better than the backoff of the whole unit.
        """
        with self._changed:
            self._processing.discard(unit)
            item = replace(self._items[unit], finished_at=self._clock.now(), due_at=0.0)
            self._items[unit] = self._settle(item, error, after, trigger)
            if unit in self._dirty:
                self._ready.append(unit)
            self._changed.notify_all()

    def forget(self, unit: UnitKey) -> None:
        """Drops a unit that exists no more, unless it waits for a worker or is being worked on."""
        with self._changed:
            if unit not in self._dirty and unit not in self._processing:
                self._items.pop(unit, None)
                self._due.pop(unit, None)

    def stop(self) -> None:
        """Hands out nothing more; who waits in ``get`` returns with None."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def drain(self, timeout: float) -> bool:
        """Waits until no unit is being worked on; whether that was so within ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._processing, timeout)

    def depth(self) -> int:
        """How many units wait for a worker."""
        with self._changed:
            self._promote()
            return len(self._dirty)

    def idle(self) -> bool:
        """Whether nothing waits, nothing runs, and only the safety net, or what failed for good, is due."""
        with self._changed:
            self._promote()
            timed = any(due.trigger != RESYNC and self._items[u].status != "failed" for u, due in self._due.items())
            return not (self._dirty or self._processing or timed)

    def items(self) -> tuple[WorkItem, ...]:
        """Every unit known to the queue, sorted."""
        with self._changed:
            return tuple(self._items[unit] for unit in sorted(self._items))

    def _add(self, unit: UnitKey, trigger: str) -> None:
        if unit in self._dirty or self._stopped:
            return
        self._dirty[unit] = trigger
        if unit not in self._processing:
            self._ready.append(unit)
            known = self._items.get(unit) or WorkItem(unit, "pending")
            self._items[unit] = replace(known, status="pending", trigger=trigger, due_at=0.0)

    def _schedule(self, unit: UnitKey, delay: float, trigger: str) -> None:
        due = _Due(self._clock.monotonic() + delay, next(self._order), unit, trigger)
        known = self._due.get(unit)
        if known is None or due < known:
            self._due[unit] = due
            heapq.heappush(self._heap, due)
            self._items.setdefault(unit, WorkItem(unit, "pending", trigger=trigger))

    def _promote(self) -> None:
        """Moves what has become due to the ready units."""
        now = self._clock.monotonic()
        while self._heap and (self._stale(self._heap[0]) or self._heap[0].at <= now):
            due = heapq.heappop(self._heap)
            if not self._stale(due):
                del self._due[due.unit]
                self._add(due.unit, due.trigger)

    def _stale(self, due: _Due) -> bool:
        return self._due.get(due.unit) is not due

    def _take(self) -> UnitKey:
        unit = self._ready.popleft()
        trigger = self._dirty.pop(unit)
        self._due.pop(unit, None)
        self._processing.add(unit)
        item = self._items[unit]
        self._items[unit] = replace(item, status="running", trigger=trigger, started_at=self._clock.now(), due_at=0.0)
        return unit

    def _wait(self, deadline: float | None) -> float | None:
        times = [due.at for due in self._heap[:1]] + ([] if deadline is None else [deadline])
        return min(times) - self._clock.monotonic() if times else None

    def _settle(self, item: WorkItem, error: BaseException | None, after: float | None, trigger: str) -> WorkItem:
        attempts = 0 if error is None else item.attempts + 1
        if error is not None:
            after, trigger = self._backoff.delay(attempts, error) if after is None else after, "retry"
        if after is not None:
            self._schedule(item.unit, after, trigger)
        status = "succeeded" if error is None else "failed" if isinstance(error, TerminalError) else "retry-scheduled"
        due = 0.0 if after is None else item.finished_at + after
        return replace(item, status=status, attempts=attempts, due_at=due, error="" if error is None else str(error))

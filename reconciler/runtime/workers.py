"""The threads: workers that run passes, and the one that looks at the sources."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import UnitKey
from reconciler.ports import Clock
from reconciler.runtime.backoff import Backoff
from reconciler.runtime.controller import Controller
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.workqueue import WorkQueue

log = structlog.get_logger(__name__)


class Workers:
    """A bounded number of threads, each one pass at a time, until the queue is stopped."""

    def __init__(self, queue: WorkQueue, controller: Controller, *, count: int, metrics: Metrics, clock: Clock) -> None:
        self._queue = queue
        self._controller = controller
        self._metrics = metrics
        self._clock = clock
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def run_pass(self, unit: UnitKey) -> None:
        """One pass of a unit that the queue handed out, whatever comes of it."""
        began = self._clock.monotonic()
        try:
            passed = self._controller.run(unit)
        except Exception as error:  # noqa: BLE001 - the worker outlives every pass
            self._complain(unit, error)
            self._queue.done(unit, error=error)
            self._metrics.passes.labels("failed").inc()
        else:
            self._queue.done(unit, error=passed.error, after=passed.after, trigger=passed.trigger)
            self._metrics.passes.labels("failed" if passed.error else "ok").inc()
        self._metrics.pass_seconds.observe(self._clock.monotonic() - began)

    def _work(self) -> None:
        while (unit := self._queue.get()) is not None:
            self.run_pass(unit)

    def _complain(self, unit: UnitKey, error: Exception) -> None:
        """A defect is loud; its backoff keeps it from being a flood."""
        expected = isinstance(error, ReconcilerError)
        log.error("pass failed", unit=str(unit), error=str(error), kind=type(error).__name__, exc_info=not expected)


class Looker:
    """The thread that refreshes: every ``interval`` seconds, and at once when it is woken."""

    def __init__(self, refresh: Callable[[str], bool], *, interval: float, backoff: Backoff) -> None:
        self._refresh = refresh
        self.interval = interval
        self._backoff = backoff
        self._failures = 0
        self._woken = threading.Event()
        self._trigger = "start-up"
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="sources", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, trigger: str) -> None:
        """Looks again as soon as the look that runs, if any, is over."""
        self._trigger = trigger
        self._woken.set()

    def stop(self, timeout: float) -> bool:
        """Ends the thread; whether it ended within ``timeout`` seconds."""
        self._stopped = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def look(self) -> float:
        """One look; the seconds until the next one when nobody wakes it."""
        trigger, self._trigger = self._trigger, "timer"
        error = self._attempt(trigger)
        self._failures = self._failures + 1 if error else 0
        return min(self.interval, self._backoff.delay(self._failures, error)) if error else self.interval

    def _loop(self) -> None:
        while not self._stopped:
            wait = self.look()
            self._woken.wait(wait)
            self._woken.clear()

    def _attempt(self, trigger: str) -> Exception | None:
        try:
            complete = self._refresh(trigger)
        except ReconcilerError as error:
            log.error("refresh failed", error=str(error))  # noqa: TRY400 - where it was raised says nothing
            return error
        except Exception as error:
            log.exception("refresh failed")
            return error
        return None if complete else ReconcilerError("a source cannot be read")

"""The daemon's life: threads up, signals, threads down. Workloads neither begin nor end with it.

The composition root gives it everything, opened in order; it starts what moves, waits, and stops it in reverse: no
new action begins, what runs may finish for a bounded time, then everything is closed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

import structlog

from reconciler.errors import ReconcilerError
from reconciler.ports import Clock, Source
from reconciler.runtime.fleet import Fleet
from reconciler.runtime.report import Report, in_motion, report
from reconciler.runtime.workers import Looker, Workers
from reconciler.runtime.workqueue import WorkQueue
from reconciler.runtime.world import Board

log = structlog.get_logger(__name__)

DRAIN = 8.0
"""Seconds that running actions have to finish after a SIGTERM."""


class Service(Protocol):
    """Something that listens: the status endpoint, the control socket."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(slots=True)
class Daemon:
    """``stopping`` is the flag that the controller asks before each action; ``reload`` reads the settings again;
    ``ask`` asks the DNS what is due, and says whether there is news (by itself where it is a service)."""

    board: Board
    queue: WorkQueue
    workers: Workers
    looker: Looker
    fleet: Fleet
    clock: Clock
    stopping: threading.Event
    sources: Sequence[Source] = ()
    services: Sequence[Service] = ()
    reload: Callable[[], None] = lambda: None
    ask: Callable[[], bool] = lambda: False
    _wishes: tuple[int, int] = field(default=(-1, -1), init=False)

    def run(self) -> bool:
        """Until SIGTERM or SIGINT, from the main thread; whether everything that ran had ended in time."""
        self._wishes = os.pipe()
        self._listen_to_signals()
        self.start()
        log.info("started", units=len(self.board.read().units))
        while (wish := os.read(self._wishes[0], 1)) == b"H":
            self._reload()
        log.info("stopping", wish=wish.decode())
        return self.stop()

    def start(self) -> None:
        """Listeners first, so that health can be asked for; then the sources, then the queue."""
        for service in self.services:
            service.start()
        for source in self.sources:
            source.watch(lambda: self.looker.wake("watch"))
        self.looker.start()
        self.workers.start()

    def stop(self, timeout: float = DRAIN) -> bool:
        """Whether everything that ran had ended within ``timeout`` seconds."""
        deadline = self.clock.monotonic() + timeout
        self.stopping.set()
        self.queue.stop()
        drained = self.queue.drain(timeout)
        drained &= self.looker.stop(max(0.1, deadline - self.clock.monotonic()))
        for service in reversed(self.services):
            service.stop()
        for source in self.sources:
            source.close()
        if drained:
            self.fleet.close()
        log.info("stopped", drained=drained)
        return drained

    def run_once(self, timeout: float) -> Report:
        """Passes until nothing can run and no timed wait is open, or for ``timeout`` seconds; then stops."""
        deadline = self.clock.monotonic() + timeout
        self.looker.look()
        if self.ask():
            self.looker.look()
        self.workers.start()
        pause = threading.Event()
        while not self._quiet() and self.clock.monotonic() < deadline:
            pause.wait(0.05)
        said = report(self.board.read(), self.queue.items(), idle=self._quiet())
        self.stop()
        return said

    def _quiet(self) -> bool:
        """Nothing can run, no time is waited for, and nothing on a target is about to tell more of itself."""
        return self.queue.idle() and not in_motion(self.board.read().snapshot)

    def _listen_to_signals(self) -> None:
        """Handlers only write a byte: what they interrupt may hold any lock."""
        words = {signal.SIGTERM: b"T", signal.SIGINT: b"I", signal.SIGHUP: b"H"}

        def wish(number: int, _frame: FrameType | None) -> None:
            os.write(self._wishes[1], words[signal.Signals(number)])

        for number in words:
            signal.signal(number, wish)

    def _reload(self) -> None:
        """The settings, and the sources at once. Settings that are wrong change nothing, and are told."""
        try:
            self.reload()
        except ReconcilerError as error:
            log.error("settings not reloaded", error=str(error))  # noqa: TRY400 - where it was raised says nothing
        except Exception:
            log.exception("settings not reloaded")
        self.looker.wake("reload")

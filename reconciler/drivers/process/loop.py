"""One thread that waits for everything at once: exits (pidfds), due times, and work posted by others.

What could take long is handed out to a few threads, which post what they found back. The loop alone changes what the
supervisor knows, so that none of it needs a lock.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from reconciler.ports import Clock

WORKERS, ASKERS = 4, 16  # threads for starting and ending; for probes, which may all hang at once
LONGEST_WAIT = 60.0

log = structlog.get_logger(__name__)


class Loop:
    """One thread that waits for pidfds, posted work and due times. ``settled`` runs after each round of work."""

    def __init__(self, clock: Clock, settled: Callable[[], None]) -> None:
        self._clock, self._settled = clock, settled
        self._poller, self._wake = select.poll(), os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poller.register(self._wake, select.POLLIN)
        self._posted: deque[Callable[[], None]] = deque()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._exits: dict[int, Callable[[], None]] = {}
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="process-work")
        self._askers = ThreadPoolExecutor(ASKERS, thread_name_prefix="process-probe")
        self._open = threading.Lock()  # held while the eventfd is used from outside, so that it is not closed meanwhile
        self._thread = threading.Thread(target=self._run, name="process-loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the loop; what helpers have begun is finished and forgotten."""
        with self._open:
            if self._closing.is_set():
                return
            self._closing.set()
            os.eventfd_write(self._wake, 1)
        for pool in (self._workers, self._askers):
            pool.shutdown(wait=False, cancel_futures=True)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        for descriptor in (self._wake, *self._exits):
            os.close(descriptor)
        self._exits.clear()

    # --- from any thread

    def post(self, work: Callable[[], None]) -> None:
        """Has the loop do ``work`` soon."""
        with self._open:
            if not self._closing.is_set():
                self._posted.append(work)
                os.eventfd_write(self._wake, 1)

    def hand_out(self, work: Callable[[], None]) -> None:
        """Has a helper's thread do ``work``."""
        _submit(self._workers, work)

    def hand_out_question(self, work: Callable[[], None]) -> None:
        """The same, for work that waits for somebody's answer, and must not keep a start waiting."""
        _submit(self._askers, work)

    # --- from the loop only

    def at(self, delay: float, work: Callable[[], None]) -> None:
        """Has the loop do ``work`` in ``delay`` seconds."""
        heapq.heappush(self._due, (self._clock.monotonic() + delay, next(self._order), work))

    def on_exit(self, pid: int, work: Callable[[], None]) -> int:
        """Has the loop do ``work`` once when the process ends. The answer is for ``leave``; raises ``OSError``."""
        pidfd = os.pidfd_open(pid)
        self._exits[pidfd] = work
        self._poller.register(pidfd, select.POLLIN)
        return pidfd

    def leave(self, pidfd: int) -> None:
        if self._exits.pop(pidfd, None) is not None:
            self._poller.unregister(pidfd)
            os.close(pidfd)

    # --- the loop

    def _run(self) -> None:
        while not self._closing.is_set():
            for work in self._next():
                _guarded(work)
            _guarded(self._settled)

    def _next(self) -> list[Callable[[], None]]:
        ready = self._poller.poll(self._wait() * 1000)
        work = [self._exits[fd] for fd, _ in ready if fd in self._exits]
        for fd in [fd for fd, _ in ready if fd in self._exits]:
            self.leave(fd)
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._posted:
            work.append(self._posted.popleft())
        now = self._clock.monotonic()
        while self._due and self._due[0][0] <= now:
            work.append(heapq.heappop(self._due)[2])
        return work

    def _wait(self) -> float:
        if not self._due:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, self._due[0][0] - self._clock.monotonic()))


def _submit(pool: ThreadPoolExecutor, work: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the pool was closed meanwhile
        pool.submit(_guarded, work)


def _guarded(work: Callable[[], None]) -> None:
    """One piece of work that fails must not end the supervision of all the others."""
    try:
        work()
    except Exception:
        log.exception("a step of supervision failed")

"""Keeps the edge proxy up: notices its end, puts it on record, and starts it again with backoff.

The next pass repairs it, too, and says so; this here is for when no pass comes to it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import structlog

from reconciler.drivers.process import layout, logs, proc, record
from reconciler.drivers.process.edge import TAIL, EdgeHost
from reconciler.drivers.process.health import STEADY, restart_delay
from reconciler.drivers.process.loop import Loop
from reconciler.drivers.process.record import Damaged, ExitsRecord, RunRecord
from reconciler.errors import ExistsNotOurs, ReconcilerError
from reconciler.ports import Clock

PRECEDENCE = 5.0  # seconds for a pass to repair it first, which says so where people look

log = structlog.get_logger(__name__)


class EdgeKeeper:
    """All methods run on the loop, except those that say otherwise. ``note`` says that something happened."""

    def __init__(
        self, host: EdgeHost, loop: Loop, clock: Clock, *, note: Callable[[], None], jitter: Callable[[], float]
    ) -> None:
        self._host, self._loop, self._clock, self._note, self._jitter = host, loop, clock, note, jitter
        self._watched: RunRecord | None = None
        self._due = False
        self._failures = 0

    def look(self) -> None:
        """Brings what is watched in line with what is on record."""
        try:
            wanted, run = self._host.is_wanted(), self._host.last_run()
        except (Damaged, ExistsNotOurs, OSError):
            return
        if run is not None and proc.alive(run):
            self._watch(run)
        elif wanted:
            self._ended(run)

    def _watch(self, run: RunRecord) -> None:
        if self._watched == run:
            return
        with suppress(OSError):
            self._loop.on_exit(run.pid, self.look)
            self._watched, self._failures = run, 0
            self._note()

    def _ended(self, run: RunRecord | None) -> None:
        self._watched = None
        streak = self._counted(run).streak if run is not None else 0
        if not self._due:
            self._due = True
            delay = restart_delay(max(streak, self._failures), self._jitter())
            self._loop.at(max(PRECEDENCE, delay), self._start)

    def _counted(self, run: RunRecord) -> ExitsRecord:
        """Puts an exit on record, once: the record says of which run it speaks."""
        code, before = proc.reap(run), self._host.exits()
        if (before.pid, before.start) == (run.pid, run.start):
            return before
        now = self._clock.now()
        streak = 1 if now - run.since >= STEADY else before.streak + 1
        tail = "\n".join(logs.tail(self._host.folder, TAIL)[-1:])
        exits = ExitsRecord(before.count + 1, streak, code, now, run.pid, run.start, tail)
        with suppress(OSError):
            record.write(self._host.folder / layout.EXITS, exits)
        self._note()
        return exits

    def _start(self) -> None:
        self._loop.hand_out(self._revive)

    def _revive(self) -> None:
        """On a helper's thread."""
        failed = False
        try:
            self._host.revive()
        except (ReconcilerError, OSError) as error:
            log.warning("edge proxy cannot be started", error=str(error))
            failed = True
        self._loop.post(lambda: self._tried(failed=failed))

    def _tried(self, *, failed: bool) -> None:
        self._due = False
        self._failures = self._failures + 1 if failed else 0
        self.look()

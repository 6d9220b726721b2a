"""Keeps up what is meant to run, and notices what happens to it.

Nothing here depends on what anybody still desires: an intent on record is kept up until it is changed. Health is known
by run (pid and start time): a run that another daemon began is ``UNKNOWN`` until it was asked once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from reconciler.drivers.process import layout, logs, proc, record
from reconciler.drivers.process.edge import EdgeHost
from reconciler.drivers.process.health import STEADY, Vitals, restart_delay
from reconciler.drivers.process.instances import Instances
from reconciler.drivers.process.jobs import Jobs
from reconciler.drivers.process.keeping import EdgeKeeper
from reconciler.drivers.process.loop import Loop
from reconciler.drivers.process.probing import Probing, Watched
from reconciler.drivers.process.record import Damaged, ExitsRecord, InstanceRecord, RunRecord
from reconciler.drivers.process.site import Site
from reconciler.errors import ExistsNotOurs, ReconcilerError
from reconciler.observed.snapshot import Health, JobState

ROTATION = 5.0  # seconds between looks at the size of logs
SAFETY = 30.0  # seconds between looks at everything, in case something was missed
BUSY = 0.2  # seconds before an instance is looked at again that somebody works on
TAIL = 3  # lines of output that tell why something ended

log = structlog.get_logger(__name__)


class Supervisor:
    """``changed`` is called once for each round in which something happened that an observation would show.

    ``jitter`` gives numbers from 0 to 1. All private methods run on the loop, except those that say otherwise.
    """

    def __init__(
        self, site: Site, instances: Instances, jobs: Jobs, edge: EdgeHost, *, changed: Callable[[], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._site, self._instances, self._jobs = site, instances, jobs
        self._changed, self._jitter = changed, jitter
        self._loop = Loop(site.clock, self._settled)
        self._edge, self._keeper = edge, EdgeKeeper(edge, self._loop, site.clock, note=self._note, jitter=jitter)
        self._probing = Probing(site, self._loop, self._is_current, self._note, self._restart_sick)
        self._watched: dict[str, Watched] = {}
        self._watched_jobs: dict[str, RunRecord] = {}
        self._due: set[str] = set()  # instances that will be started
        self._failed_launches: dict[str, int] = {}
        self._dead: set[tuple[int, int]] = set()
        self._happened = False

    def start(self) -> None:
        proc.become_subreaper()
        self._loop.post(self._look_at_all)
        self._loop.post(self._rotate_logs)
        self._loop.start()

    def close(self) -> None:
        self._loop.close()

    def look(self, name: str) -> None:
        """Something was done to this instance. From any thread."""
        self._loop.post(lambda: self._look(name))

    def look_at_job(self, name: str) -> None:
        """Something was done to this job. From any thread."""
        self._loop.post(lambda: self._look_at_job(name))

    def look_at_edge(self) -> None:
        """Something was done to the edge proxy. From any thread."""
        self._loop.post(self._keeper.look)

    def vitals(self, name: str, run: RunRecord) -> Vitals:
        """What is known of the health of exactly this run. From any thread."""
        watched = self._watched.get(name)
        return watched.vitals if watched is not None and watched.run == run else Vitals(Health.UNKNOWN)

    # --- looking

    def _note(self) -> None:
        self._happened = True

    def _settled(self) -> None:
        if self._happened:
            self._happened = False
            self._changed()

    def _look_at_all(self) -> None:
        with suppress(OSError):
            for name in {*self._instances.names(), *self._watched}:
                self._look(name)
            for name in self._jobs.names():
                self._look_at_job(name)
        self._keeper.look()
        self._bury_strangers()
        self._loop.at(SAFETY, self._look_at_all)

    def _look(self, name: str) -> None:
        """Brings what is watched in line with what is on record."""
        try:
            present, run = self._instances.find(name), self._instances.last_run(name)
        except (Damaged, ExistsNotOurs, OSError):
            return
        if present is None:
            self._forget(name)
        elif run is not None and proc.alive(run):
            self._watch(name, run)
        else:
            self._ended(name, present, run)

    def _watch(self, name: str, run: RunRecord) -> None:
        watched = self._watched.get(name)
        if watched is not None and watched.run == run:
            return
        self._forget(name)
        watched = Watched(name, run, Vitals(Health.UNKNOWN))
        try:
            watched.pidfd = self._loop.on_exit(run.pid, lambda: self._look(name))
        except OSError:
            self._loop.at(BUSY, lambda: self._look(name))  # ended in between, or no descriptor is free
            return
        self._watched[name] = watched
        self._failed_launches.pop(name, None)
        self._note()
        self._probing.begin(watched)

    def _is_current(self, watched: Watched) -> bool:
        return self._watched.get(watched.name) is watched

    def _forget(self, name: str) -> None:
        watched = self._watched.pop(name, None)
        if watched is not None:
            self._loop.leave(watched.pidfd)
            self._note()

    # --- ends and starts

    def _ended(self, name: str, present: InstanceRecord, run: RunRecord | None) -> None:
        self._forget(name)
        code = proc.reap(run) if run is not None else None
        if present.intent == "stop":
            return
        exits = self._counted(name, run, code)
        if name in self._due:
            return
        delay = restart_delay(exits.streak, self._jitter()) if run is not None else 0.0
        waited = max(0.0, self._site.clock.now() - exits.at) if run is not None else 0.0
        self._start_in(name, max(0.0, delay - waited))

    def _counted(self, name: str, run: RunRecord | None, code: int | None) -> ExitsRecord:
        """Puts an exit on record, once: the record says of which run it speaks."""
        before = self._instances.exits(name)
        if run is None or (before.pid, before.start) == (run.pid, run.start):
            return before
        now, folder = self._site.clock.now(), self._instances.folder(name)
        streak = 1 if now - run.since >= STEADY else before.streak + 1
        exits = ExitsRecord(before.count + 1, streak, code, now, run.pid, run.start, self._last_output(folder))
        with suppress(OSError):
            record.write(folder / layout.EXITS, exits)
        self._note()
        return exits

    def _last_output(self, folder: Path) -> str:
        masked = logs.redactor(folder, self._site.reader)
        return masked("\n".join(logs.tail(folder, TAIL)))

    def _start_in(self, name: str, delay: float) -> None:
        self._due.add(name)
        self._loop.at(delay, lambda: self._loop.hand_out(lambda: self._start(name)))

    def _start(self, name: str) -> None:
        """On a helper's thread."""
        with self._site.locks.attempt(name) as held:
            if not held:
                self._loop.post(lambda: self._loop.at(BUSY, lambda: self._loop.hand_out(lambda: self._start(name))))
                return
            failed = self._started(name)
        self._loop.post(lambda: self._tried(name, failed))

    def _started(self, name: str) -> bool:
        """Whether a start that was due failed. On a helper's thread, which holds the lock."""
        try:
            present = self._instances.find(name)
            if present is not None and present.intent == "run":
                self._instances.run(present, "restart")
        except (ReconcilerError, OSError) as error:
            log.warning("instance cannot be started", instance=name, error=str(error))
            return True
        return False

    def _tried(self, name: str, failed: bool) -> None:
        self._due.discard(name)
        if failed:
            tries = self._failed_launches.get(name, 0) + 1
            self._failed_launches[name] = tries
            self._start_in(name, restart_delay(tries, self._jitter()))
        else:
            self._look(name)

    def _restart_sick(self, watched: Watched) -> None:
        self._loop.hand_out(lambda: self._end_sick(watched))

    def _end_sick(self, watched: Watched) -> None:
        """On a helper's thread."""
        try:
            with self._site.locks.hold(watched.name):
                self._instances.end_run(watched.name, watched.run)
        except (ReconcilerError, OSError) as error:
            log.warning("unhealthy instance cannot be ended", instance=watched.name, error=str(error))
        finally:
            watched.ending = False  # if it still runs, its next bad answer is another try

    # --- jobs, logs, orphans

    def _look_at_job(self, name: str) -> None:
        try:
            state, run = self._jobs.state(name), self._jobs.last_run(name)
        except (Damaged, OSError):
            return
        if run is None or self._watched_jobs.get(name) == run:
            return
        if state is JobState.RUNNING:
            with suppress(OSError):
                self._loop.on_exit(run.pid, lambda: self._job_ended(name, run))
                self._watched_jobs[name] = run
        self._note()

    def _job_ended(self, name: str, run: RunRecord) -> None:
        self._watched_jobs.pop(name, None)
        proc.reap(run)
        self._note()

    def _rotate_logs(self) -> None:
        folders = [self._site.layout.instances / name for name in self._watched]
        folders.append(self._edge.folder)
        folders += [self._site.layout.jobs / name for name in self._watched_jobs]
        self._loop.hand_out(lambda: _rotate_each(folders))
        self._loop.at(ROTATION, self._rotate_logs)

    def _bury_strangers(self) -> None:
        """Orphans that came to us and died. Only those seen dead twice: the children of other parts of this program
        are waited for by their own parents, at once."""
        dead = proc.dead_strangers()
        for pid, start in dead & self._dead:
            proc.reap(RunRecord(pid, start, proc.boot_id()))
        self._dead = dead


def _rotate_each(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            logs.rotate(folder)

"""The edge proxy of this server: a process of ours like any instance, in a folder of its own, that outlives the daemon.

What it is told and how it answers is the proxy's own driver's; here it is started, found again, and ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from reconciler.drivers.process import ending, layout, logs, proc, record
from reconciler.drivers.process.launch import SHIM, Launched, launch
from reconciler.drivers.process.record import ExitsRecord, Launch, Mark, RunRecord
from reconciler.drivers.process.render import SYSTEM_PATH
from reconciler.drivers.process.site import Site
from reconciler.errors import ExistsNotOurs, InvalidInput, TransientError, Unreachable
from reconciler.observed.snapshot import Edge, EdgeState, Route
from reconciler.plan.actions import EdgeSpec
from reconciler.ports import EdgeMaker, EdgeProxy

KIND = "edge"
ANSWER = 20.0  # seconds for a proxy to answer after its start
SILENCE = 15.0  # seconds without an answer after which one that runs counts as down
GRACE = 5.0  # seconds to end by itself
TICK = 0.02
TAIL = 8  # lines of output that tell why it ended


@dataclass(frozen=True, slots=True)
class EdgeRecord:
    """What the shim and later daemons go by; ``intent`` is kept up whether or not a daemon looks."""

    mark: Mark
    uid: str
    created: float
    intent: Literal["run", "stop"] = "run"


@dataclass(frozen=True, slots=True)
class EdgeSeen:
    """``trouble`` says why its routes are unknown; "" when they are known."""

    edge: Edge
    routes: Mapping[str, Route]
    trouble: str = ""


class EdgeHost:
    """One at a time works on it; looking waits for nobody."""

    def __init__(self, site: Site, maker: EdgeMaker | None) -> None:
        self._site, self._lock = site, threading.Lock()
        self._silent_since: float | None = None
        artifacts = site.layout.artifacts
        self._proxy = maker(self.folder, lambda name: str(artifacts / layout.checked_name(name))) if maker else None

    # --- actions

    def start(self, spec: EdgeSpec) -> None:
        """Brings it up with what it was last told, and waits for its answer; a new one listens then.

        One that answers is left alone; one that is silent is started anew.
        """
        with self._lock:
            self._intend("run")
            if not self._answers():
                self._end()
                self._run_at_all()
            reading = self._speaker().read()
            if not reading.edge.settings:
                ours = tuple(route for _, route in sorted(reading.routes.items()) if route.ours)
                self._speaker().write(replace(spec, routes=ours))

    def stop(self) -> None:
        """Absent is success. What it was told and its certificates stay in its folder."""
        with self._lock:
            if self._present() is not None:
                self._intend("stop")
                self._end()

    def configure(self, spec: EdgeSpec) -> None:
        with self._lock:
            self._site.step("configure-edge:asking")
            self._speaker().write(spec)
            self._site.step("configure-edge:told")

    # --- what the supervisor does, too

    def revive(self) -> None:
        """Starts it again if it is meant to run and does not."""
        with self._lock:
            present = self._present()
            if present is not None and present.intent == "run" and not proc.alive(self.last_run()):
                self._run(resume=True)

    def last_run(self) -> RunRecord | None:
        return self._site.reader.read(self.folder / layout.RUN, RunRecord)

    def exits(self) -> ExitsRecord:
        return self._site.reader.read(self.folder / layout.EXITS, ExitsRecord) or ExitsRecord()

    def is_wanted(self) -> bool:
        present = self._present()
        return present is not None and present.intent == "run"

    @property
    def folder(self) -> Path:
        return self._site.layout.edge

    # --- looking

    def observe(self) -> EdgeSeen:
        present = self._present()
        if present is None or present.intent == "stop":
            return EdgeSeen(Edge(EdgeState.ABSENT), {})
        if not proc.alive(self.last_run()):
            self._silent_since = None
            detail = self._ended()
            return EdgeSeen(Edge(EdgeState.DOWN, detail), {}, f"the edge is down: {detail}")
        try:
            reading = self._speaker().read()
        except Unreachable as error:
            return self._silent(error)
        self._silent_since = None
        return EdgeSeen(reading.edge, reading.routes)

    def _silent(self, error: Unreachable) -> EdgeSeen:
        now = self._site.clock.monotonic()
        since = self._silent_since = now if self._silent_since is None else self._silent_since
        state = EdgeState.DOWN if now - since >= SILENCE else EdgeState.RUNNING
        return EdgeSeen(Edge(state, str(error)), {}, str(error))

    def _ended(self) -> str:
        exits = self.exits()
        if exits.count == 0:
            return "it does not run"
        how = "ended while no daemon looked" if exits.code is None else f"ended with {exits.code}"
        return f"{how} (exits: {exits.count}), last output: {exits.tail}"

    # --- within; the caller holds the lock

    def _speaker(self) -> EdgeProxy:
        if self._proxy is None:
            raise InvalidInput("edge: this daemon was made without an edge proxy")
        return self._proxy

    def _present(self) -> EdgeRecord | None:
        present = self._site.reader.read(self.folder / layout.RECORD, EdgeRecord)
        if present is not None and present.mark != self._site.mark(KIND, KIND):
            raise ExistsNotOurs(f"edge: {self.folder} is there without our mark; move it away")
        return present

    def _intend(self, intent: Literal["run", "stop"]) -> EdgeRecord:
        present = self._present()
        if present is not None and present.intent == intent:
            return present
        if present is None:
            layout.make(self.folder, 0o700)
            mark, now = self._site.mark(KIND, KIND), self._site.clock.now()
            present = EdgeRecord(mark, self._site.new_uid(), now, intent)
        changed = replace(present, intent=intent)
        record.write(self.folder / layout.RECORD, changed)
        self._site.step(f"edge:{intent}")
        return changed

    def _answers(self) -> bool:
        ending.await_shim(self.folder, self._site.reader)
        run = self.last_run()
        end = time.monotonic() + ANSWER
        while proc.alive(run) and time.monotonic() < end:
            try:
                self._speaker().read()
            except Unreachable:
                time.sleep(TICK)
            else:
                return True
        return False

    def _run(self, *, resume: bool) -> None:
        program = self._speaker().program(resume=resume)
        env = {"PATH": SYSTEM_PATH, **program.env}
        record.write(self.folder / layout.LAUNCH, Launch(program.argv, env, str(self.folder)))
        present = self._intend("run")
        self._site.step("start-edge:starting")
        spawned = partial(self._site.step, "start-edge:spawned")
        outcome = launch(self.folder, present.uid, program=SHIM, reader=self._site.reader, spawned=spawned)
        if outcome is Launched.UNWANTED:
            raise TransientError("edge: its record changed meanwhile; looking again")
        if not self._answers():
            self._reap()
            raise self._speaker().why(logs.tail(self.folder, TAIL))
        self._site.step("start-edge:started")

    def _run_at_all(self) -> None:
        try:
            self._run(resume=True)
        except InvalidInput:
            self._end()
            self._run(resume=False)  # what it was last told is not what it takes any more: it is told again

    def _reap(self) -> None:
        run = self.last_run()
        if run is not None:
            proc.reap(run)

    def _end(self) -> None:
        ending.await_shim(self.folder, self._site.reader)
        run = self.last_run()
        if run is not None:
            ending.end(run, self.folder, grace=GRACE)

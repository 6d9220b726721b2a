"""Asks every running instance how it is, at its own rhythm, and keeps what the answers mean."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.drivers.process import layout, logs, record
from reconciler.drivers.process.health import QUIET, Timings, Vitals, judge
from reconciler.drivers.process.loop import Loop
from reconciler.drivers.process.probe import Answer, Patient, ask
from reconciler.drivers.process.record import HealthRecord, InstanceRecord, Launch, RunRecord
from reconciler.drivers.process.site import Site
from reconciler.observed.snapshot import Health


@dataclass(slots=True)
class Watched:
    """One run under supervision."""

    name: str
    run: RunRecord
    vitals: Vitals
    pidfd: int = -1
    ending: bool = False  # it is being ended because it is unhealthy


@dataclass(frozen=True, slots=True)
class Probing:
    """``current`` says whether a run is still the one that is watched; ``changed`` and ``sick`` are called on the loop
    when health changed, and when it is unhealthy and should not be left so."""

    site: Site
    loop: Loop
    current: Callable[[Watched], bool]
    changed: Callable[[], None]
    sick: Callable[[Watched], None]

    def begin(self, watched: Watched) -> None:
        """Takes up where a daemon before this one left; until the first answer nothing is known."""
        known = self.site.reader.read(self._path(watched), HealthRecord)
        if known is not None and (known.pid, known.start) == (watched.run.pid, watched.run.start):
            watched.vitals = Vitals(Health.UNKNOWN, proven=known.proven, answer=known.answer)
        else:
            watched.vitals = Vitals(Health.STARTING)
            self._store(watched)
        self._probe(watched)

    def _probe(self, watched: Watched) -> None:
        if not self.current(watched):
            return
        present = self._record(watched)
        if present is None:
            return
        if present.probe.kind == "quiet":
            self._listen(watched, present)
        else:
            patient = self._patient(watched, present)
            self.loop.hand_out_question(lambda: self._ask(watched, patient))

    def _listen(self, watched: Watched, present: InstanceRecord) -> None:
        """Not having exited for a while is all the health there is."""
        left = QUIET - self._age(watched)
        if left <= 0:
            self._heard(watched, Answer.fine(f"runs for {QUIET:g} s"), present)
        else:
            self.loop.at(left, lambda: self._probe(watched))

    def _patient(self, watched: Watched, present: InstanceRecord) -> Patient:
        timeout = Timings.of(present.settings).timeout
        folder = self.site.layout.instance(watched.name)
        launch = self.site.reader.read(folder / layout.LAUNCH, Launch) if present.probe.kind == "command" else None
        return Patient(present.probe, present.ports, watched.run, timeout, launch)

    def _ask(self, watched: Watched, patient: Patient) -> None:
        try:
            answer = ask(patient)
        except Exception as error:  # noqa: BLE001 - a probe that breaks must go on being asked
            answer = Answer.bad(f"probe failed: {type(error).__name__}")
        masked = logs.redactor(self.site.layout.instance(watched.name), self.site.reader)
        self.loop.post(lambda: self._answered(watched, replace(answer, text=masked(answer.text))))

    def _answered(self, watched: Watched, answer: Answer) -> None:
        present = self._record(watched) if self.current(watched) else None
        if present is None:
            return
        self._heard(watched, answer, present)
        timings = Timings.of(present.settings)
        self.loop.at(timings.next_probe(proven=watched.vitals.proven), lambda: self._probe(watched))

    def _heard(self, watched: Watched, answer: Answer, present: InstanceRecord) -> None:
        before, timings = watched.vitals, Timings.of(present.settings)
        after = judge(before, good=answer.good, answer=answer.text, age=self._age(watched), timings=timings)
        watched.vitals = after
        if (before.health, before.answer) != (after.health, after.answer):
            self.changed()
        if (before.health, before.proven) != (after.health, after.proven):
            self._store(watched)
        if after.health is Health.UNHEALTHY and timings.restart_when_unhealthy and not watched.ending:
            watched.ending = True
            self.sick(watched)

    def _age(self, watched: Watched) -> float:
        return self.site.clock.now() - watched.run.since

    def _record(self, watched: Watched) -> InstanceRecord | None:
        path = self.site.layout.instance(watched.name) / layout.RECORD
        return self.site.reader.read(path, InstanceRecord)

    def _path(self, watched: Watched) -> Path:
        return self.site.layout.instance(watched.name) / layout.HEALTH

    def _store(self, watched: Watched) -> None:
        run, vitals = watched.run, watched.vitals
        now = self.site.clock.now()
        with suppress(OSError):  # only a hint for the next daemon
            record.write(
                self._path(watched),
                HealthRecord(run.pid, run.start, vitals.health, vitals.proven, now, vitals.answer),
            )

"""What is there, in one pass over the records and ``/proc``. What cannot be read is unknown, never absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.drivers.process import layout, logs, proc
from reconciler.drivers.process.artifacts import Artifacts
from reconciler.drivers.process.edge import EdgeSeen
from reconciler.drivers.process.health import Vitals
from reconciler.drivers.process.instances import KIND as INSTANCE
from reconciler.drivers.process.instances import Instances
from reconciler.drivers.process.jobs import KIND as JOB
from reconciler.drivers.process.jobs import Jobs
from reconciler.drivers.process.record import (
    AddressRecord,
    Damaged,
    ExitsRecord,
    InstanceRecord,
    JobRecord,
    RunRecord,
)
from reconciler.drivers.process.site import Site
from reconciler.drivers.process.verdicts import Verdicts
from reconciler.drivers.process.volumes import KIND as VOLUME
from reconciler.drivers.process.volumes import Volumes
from reconciler.errors import ReconcilerError, Unreachable
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import (
    Address,
    Collection,
    Edge,
    EdgeState,
    Health,
    Instance,
    Job,
    JobState,
    State,
    Target,
    Volume,
)

T = TypeVar("T")
HealthOf = Callable[[str, RunRecord], Vitals]
JOB_TAIL = 3  # lines of a failed job's output that are shown


@dataclass(slots=True)
class _Look:
    """What one pass has found unreadable so far."""

    unknown: set[Collection] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)

    def all_of(self, collection: Collection, read: Callable[[], T], nothing: T) -> T:
        try:
            return read()
        except (OSError, Damaged) as error:
            self.note(collection, error)
            return nothing

    def note(self, collection: Collection, error: Exception) -> None:
        self.unknown.add(collection)
        self.trouble.append(str(error))


@dataclass(frozen=True, slots=True)
class Observer:
    """``health_of`` tells what the supervisor knows of a run."""

    key: ResourceKey
    site: Site
    instances: Instances
    jobs: Jobs
    volumes: Volumes
    artifacts: Artifacts
    verdicts: Verdicts
    edge: Callable[[], EdgeSeen]
    health_of: HealthOf

    def target(self) -> Target:
        """Raises ``Unreachable`` when nothing at all could be read."""
        look = _Look()
        edge = self._edge(look)
        target = Target(
            observed_at=self.site.clock.now(),
            instances=self._each(look, Collection.INSTANCES, self.instances.names, self._instance),
            volumes=look.all_of(Collection.VOLUMES, self._volumes, {}),
            addresses=look.all_of(Collection.ADDRESSES, self._addresses, {}),
            jobs=self._each(look, Collection.JOBS, self.jobs.names, self._job),
            artifacts=look.all_of(Collection.ARTIFACTS, self.artifacts.names, frozenset()),
            verdicts=look.all_of(Collection.VERDICTS, self.verdicts.all, {}),
            routes=edge.routes,
            edge=edge.edge,
            unknown=frozenset(look.unknown),
            trouble="; ".join(look.trouble),
        )
        if look.unknown >= set(Collection) - {Collection.ROUTES}:
            raise Unreachable(f"{self.key}: {target.trouble}")
        return target

    def _edge(self, look: _Look) -> EdgeSeen:
        """A proxy that cannot be asked hides its routes, and nothing else."""
        try:
            seen = self.edge()
        except (OSError, ReconcilerError) as error:
            seen = EdgeSeen(Edge(EdgeState.DOWN, str(error)), {}, str(error))
        if seen.trouble:
            look.unknown.add(Collection.ROUTES)
            look.trouble.append(seen.trouble)
        return seen

    def _each(
        self, look: _Look, collection: Collection, names: Callable[[], list[str]], read: Callable[[str], T | None]
    ) -> Mapping[str, T]:
        """One by one, so that a damaged one does not hide the others; it makes the collection unknown all the same."""
        found: dict[str, T] = {}
        nothing: list[str] = []
        for name in look.all_of(collection, names, nothing):
            try:
                thing = read(name)
            except (OSError, Damaged) as error:
                look.note(collection, error)
                continue
            if thing is not None:
                found[name] = thing
        return found

    # --- instances

    def _instance(self, name: str) -> Instance | None:
        folder = (
            f"{self.site.root}/instances/{name}"  # texts, not paths: this is done for each of hundreds, on each pass
        )
        present = self.site.reader.read(f"{folder}/{layout.RECORD}", InstanceRecord)
        if present is None or present.mark != self.site.mark(INSTANCE, name):
            return self._foreign(name) if os.path.lexists(folder) else None
        run = self.site.reader.read(f"{folder}/{layout.RUN}", RunRecord)
        exits = self.site.reader.read(f"{folder}/{layout.EXITS}", ExitsRecord) or ExitsRecord()
        return _seen(name, present, run, exits=exits, health_of=self.health_of)

    def _foreign(self, name: str) -> Instance:
        key = ResourceKey("Unknown", "", name)
        return Instance(
            name, "", key, UnitKey(self.key), "", "", 0, State.STOPPED, ours=False, detail="no mark of ours"
        )

    # --- jobs

    def _job(self, name: str) -> Job | None:
        folder = self.site.layout.jobs / name
        present = self.site.reader.read(folder / layout.RECORD, JobRecord)
        if present is None or present.mark != self.site.mark(JOB, name):
            key = ResourceKey("Unknown", "", name)
            stranger = Job(name, "", key, UnitKey(self.key), "", JobState.LOST, ours=False)
            return stranger if folder.exists() else None
        state, ended = self.jobs.state(name), self.jobs.ended(name)
        detail = self._why(name, ended.reason) if ended is not None and state is JobState.FAILED else ""
        code = ended.code if ended is not None else None
        return Job(name, present.uid, present.key, present.unit, present.slot, state, code, detail, present.created)

    def _why(self, name: str, reason: str) -> str:
        folder = self.site.layout.jobs / name
        masked = logs.redactor(folder, self.site.reader)
        return "\n".join([reason, *map(masked, logs.tail(folder, JOB_TAIL))])

    # --- the rest

    def _volumes(self) -> dict[str, Volume]:
        found: dict[str, Volume] = {}
        for v in self.volumes.records():
            if v.mark == self.site.mark(VOLUME, v.mark.name) and self.volumes.is_there(v):
                found[v.mark.name] = Volume(v.mark.name, v.uid, v.key, v.unit, path=v.path)
        for path in self.volumes.unmarked():
            project, environment = path.parent.parent.name, path.parent.name
            key = ResourceKey("Volume", project, path.name, environment)
            name = f"{project}/{environment}/{path.name}"
            found[name] = Volume(name, "", key, UnitKey(self.key, project, environment), ours=False, path=str(path))
        return found

    def _addresses(self) -> dict[str, Address]:
        found: dict[str, Address] = {}
        for path in sorted(self.site.layout.addresses.iterdir()):
            seen = None if path.name.startswith(".") else self.site.reader.read(path, AddressRecord)
            if seen is not None:
                name = seen.mark.name
                found[name] = Address(name, seen.key, seen.unit, seen.port_name, seen.host, seen.port, seen.ordinal)
        return found


def _seen(
    name: str, present: InstanceRecord, run: RunRecord | None, *, exits: ExitsRecord, health_of: HealthOf
) -> Instance:
    state = state_of(present, run)
    vitals = health_of(name, run) if run is not None and state is State.RUNNING else Vitals(Health.UNKNOWN)
    return Instance(
        name=name,
        uid=present.uid,
        key=present.key,
        unit=present.unit,
        release=present.release,
        stamp=present.stamp,
        ordinal=present.ordinal,
        state=state,
        health=vitals.health,
        created=present.created,
        exits=exits.count,
        artifact=present.artifact,
        settings=present.settings,
        ports=present.ports,
        pid=run.pid if run is not None and state is State.RUNNING else 0,
        detail=_detail(state, vitals=vitals, exits=exits),
        note=present.note if state is State.RUNNING else "",
        since=_since(state, present, run=run, exits=exits),
    )


def state_of(present: InstanceRecord, run: RunRecord | None) -> State:
    """The engine's word, from the record and the kernel."""
    if proc.alive(run):
        return State.RUNNING
    if present.intent == "stop":
        return State.STOPPED
    return State.CREATED if run is None else State.EXITED


def _since(state: State, present: InstanceRecord, *, run: RunRecord | None, exits: ExitsRecord) -> float:
    if state is State.RUNNING and run is not None:
        return run.since
    if state is State.EXITED:
        return exits.at or present.intent_at
    return present.intent_at if state is State.STOPPED else present.created


def _detail(state: State, *, vitals: Vitals, exits: ExitsRecord) -> str:
    well = vitals.health is Health.HEALTHY or state is State.STOPPED
    parts = [vitals.answer if state is State.RUNNING else "", "" if well else ended_text(exits)]
    return "; ".join(part for part in parts if part)


def ended_text(exits: ExitsRecord) -> str:
    """How it ended the last time, for people; "" when it never did."""
    if exits.count == 0:
        return ""
    how = "ended while no daemon looked" if exits.code is None else f"exit code {exits.code}"
    if exits.code is not None and exits.code < 0:
        how = f"killed by signal {-exits.code}"
    return f"{how} (exits: {exits.count})" + (f", last output: {exits.tail}" if exits.tail else "")

"""Instances: made whole or not at all, started at most once at a time, ended when told, removed whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from reconciler.drivers.process import durable, ending, layout, logs, proc, record
from reconciler.drivers.process.addresses import Addresses
from reconciler.drivers.process.health import Timings
from reconciler.drivers.process.launch import SHIM, Launched, launch
from reconciler.drivers.process.prepare import Preparation, isolation_note, make_folder, publish
from reconciler.drivers.process.record import ExitsRecord, InstanceRecord, RunRecord
from reconciler.drivers.process.site import Site
from reconciler.errors import Conflict, ExistsNotOurs, TransientError
from reconciler.plan.actions import Action, InstanceSpec

KIND = "instance"


class Instances:
    """Each method takes the instance's lock itself, unless it says that the caller holds it."""

    def __init__(self, site: Site, preparation: Preparation, addresses: Addresses) -> None:
        self._site, self._preparation, self._addresses = site, preparation, addresses

    # --- actions

    def create(self, action: Action, spec: InstanceSpec) -> None:
        """Puts it on record and starts it. What is there of the same generation and meant to run is completed."""
        with self._site.locks.hold(action.name):
            present = self.find(action.name)
            if present is None:
                present = self._record(action, spec)
            elif (present.release, present.stamp) != (spec.workload.release, spec.workload.stamp):
                raise Conflict(f"instance {action.name}: is there with another generation")
            elif present.intent == "stop":
                raise Conflict(f"instance {action.name}: is there, and stopped")
            self.run(present, "create")

    def start(self, action: Action) -> None:
        with self._site.locks.hold(action.name):
            present = self._intend(self._expected(action), "run")
            self._site.step("start:intent")
            self.run(present, "start")

    def stop(self, action: Action) -> None:
        with self._site.locks.hold(action.name):
            self._end(self._expected(action), "stop")

    def remove(self, action: Action) -> None:
        """Stops it and deletes its folder, log included. Absent is success."""
        with self._site.locks.hold(action.name):
            if self.find(action.name) is None:
                return
            self._end(self._expected(action), "remove")
            folder = self.folder(action.name)
            logs.keep_last_words(folder, self._site.layout.departed, self._site.reader)
            away = durable.detach(folder, self._site.layout.trash)
            self._site.step("remove:detached")
            self._site.reader.forget(folder)
            durable.erase(away)
            self._site.step("remove:deleted")

    def update(self, action: Action, settings: dict[str, str]) -> None:
        with self._site.locks.hold(action.name):
            present = self._expected(action)
            if present.settings != settings:
                self._store(replace(present, settings=settings))
                self._site.step("update:recorded")

    # --- what the supervisor does, too; the caller holds the lock

    def run(self, present: InstanceRecord, verb: str) -> None:
        """Starts what is not running. Raises ``TransientError``; the record stays, and so does the intent."""
        folder = self.folder(present.mark.name)
        ending.await_shim(folder, self._site.reader)
        last = self.last_run(present.mark.name)
        if proc.alive(last):
            return
        if last is not None:
            ending.kill(last, folder)
        self._site.step(f"{verb}:starting")
        spawned = partial(self._site.step, f"{verb}:spawned")
        outcome = launch(folder, present.uid, program=SHIM, reader=self._site.reader, spawned=spawned)
        self._site.step(f"{verb}:started")
        if outcome is not Launched.STARTED and not proc.alive(self.last_run(present.mark.name)):
            raise TransientError(f"instance {present.mark.name}: is {outcome.value}; looking again")

    def end_run(self, name: str, run: RunRecord) -> None:
        """Ends this very run without changing the intent, so that the instance starts again with the usual delay."""
        present = self.find(name)
        if present is not None and present.intent == "run" and self.last_run(name) == run:
            ending.end(run, self.folder(name), grace=Timings.of(present.settings).stop_timeout)

    # --- reading

    def folder(self, name: str) -> Path:
        return self._site.layout.instance(name)

    def names(self) -> list[str]:
        return sorted(path.name for path in self._site.layout.instances.iterdir())

    def find(self, name: str) -> InstanceRecord | None:
        """None when the name is free. Raises ``ExistsNotOurs`` when somebody else has it, ``Damaged``."""
        folder = self.folder(name)
        present = self._site.reader.read(folder / layout.RECORD, InstanceRecord)
        if present is not None and present.mark == self._site.mark(KIND, name):
            return present
        if present is None and not folder.exists() and not folder.is_symlink():
            return None
        raise ExistsNotOurs(f"instance {name}: {folder} is there without our mark; move it away")

    def ours(self) -> Iterator[InstanceRecord]:
        """Every instance that proves to be ours. Raises ``Damaged``: it could be any one."""
        for name in self.names():
            present = self._site.reader.read(self._site.layout.instances / name / layout.RECORD, InstanceRecord)
            if present is not None and present.mark == self._site.mark(KIND, name):
                yield present

    def last_run(self, name: str) -> RunRecord | None:
        return self._site.reader.read(self.folder(name) / layout.RUN, RunRecord)

    def exits(self, name: str) -> ExitsRecord:
        return self._site.reader.read(self.folder(name) / layout.EXITS, ExitsRecord) or ExitsRecord()

    # --- within

    def _record(self, action: Action, spec: InstanceSpec) -> InstanceRecord:
        workload, preparation = spec.workload, self._preparation
        preparation.check(workload)
        secrets = preparation.secret_values(workload)
        folder, user = self.folder(action.name), workload.template.user
        aside = self._site.layout.trash / f"{action.name}.{self._site.new_uid()}"
        with self._addresses.giving_out():
            ports = self._addresses.assign(workload.template.ports, spec.addresses)
            surroundings = preparation.surroundings(workload, folder, ports=ports, links=spec.links, secrets=secrets)
            made = self._made(action, spec, ports)
            to_launch = preparation.launch(workload, surroundings)
            preparation.adopt_volumes(workload)
            self._site.step("create:preparing")
            make_folder(aside, identity=made, launch=to_launch, user=user)
            self._site.step("create:prepared")
            publish(aside, folder)
        self._site.step("create:recorded")
        return made

    def _made(self, action: Action, spec: InstanceSpec, ports: dict[str, int]) -> InstanceRecord:
        workload, now = spec.workload, self._site.clock.now()
        return InstanceRecord(
            mark=self._site.mark(KIND, action.name),
            uid=self._site.new_uid(),
            key=workload.key,
            unit=workload.unit,
            release=workload.release,
            stamp=workload.stamp,
            ordinal=spec.ordinal,
            created=now,
            artifact=workload.template.artifact.name,
            probe=workload.template.probe,
            settings=dict(workload.settings),
            ports=ports,
            intent_at=now,
            mounts=tuple(mount.volume for mount in workload.template.mounts),
            user=workload.template.user,
            note=isolation_note(workload.template.user),
        )

    def _expected(self, action: Action) -> InstanceRecord:
        present = self.find(action.name)
        if present is None:
            raise Conflict(f"instance {action.name}: is not there")
        if present.uid != action.expects:
            raise Conflict(f"instance {action.name}: was made anew meanwhile")
        return present

    def _intend(self, present: InstanceRecord, intent: Literal["run", "stop"]) -> InstanceRecord:
        if present.intent == intent:
            return present
        changed = replace(present, intent=intent, intent_at=self._site.clock.now())
        self._store(changed)
        return changed

    def _end(self, present: InstanceRecord, verb: str) -> None:
        name, folder = present.mark.name, self.folder(present.mark.name)
        self._intend(present, "stop")
        self._site.step(f"{verb}:intent")
        ending.await_shim(folder, self._site.reader)
        last = self.last_run(name)
        if last is not None:
            grace = Timings.of(present.settings).stop_timeout
            ending.end(last, folder, grace=grace, signalled=partial(self._site.step, f"{verb}:signalled"))
        self._site.step(f"{verb}:ended")

    def _store(self, present: InstanceRecord) -> None:
        record.write(self.folder(present.mark.name) / layout.RECORD, present)

"""Jobs: one-off commands with a receipt. On record and not started, started once, ended by their runner's word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from reconciler.desired.objects import Port
from reconciler.drivers.process import durable, ending, layout, receipts, render
from reconciler.drivers.process.addresses import Addresses
from reconciler.drivers.process.artifacts import BUILD
from reconciler.drivers.process.launch import RUNNER, launch
from reconciler.drivers.process.prepare import Preparation, make_folder, publish
from reconciler.drivers.process.record import BuildPlace, JobExit, JobLaunch, JobRecord, RunRecord
from reconciler.drivers.process.site import Site
from reconciler.errors import Conflict, ExistsNotOurs
from reconciler.observed.snapshot import JobState
from reconciler.plan.actions import Action, JobSpec

KIND = "job"
GRACE = 10.0  # seconds between SIGTERM and SIGKILL for a job that is removed while it runs


class Jobs:
    """Each action takes the job's lock. A job with a run on record is never started again."""

    def __init__(self, site: Site, preparation: Preparation, addresses: Addresses) -> None:
        self._site, self._preparation, self._addresses = site, preparation, addresses

    def create(self, action: Action, spec: JobSpec) -> None:
        """Puts it on record if it is absent. Raises ``Conflict`` for one that is the receipt of something else."""
        with self._site.locks.hold(_lock(action.name)):
            present = self.find(action.name)
            if present is None:
                self._record(action, spec)
            elif present.slot != spec.slot:
                raise Conflict(f"job {action.name}: is there for {present.slot}, not for {spec.slot}")

    def start(self, action: Action) -> None:
        """Starts it if it never was. Started, ended or lost already is success."""
        with self._site.locks.hold(_lock(action.name)):
            present = self._expected(action)
            if present is None:
                raise Conflict(f"job {action.name}: is not there")
            folder = self.folder(action.name)
            if self.last_run(action.name) is None:
                self._site.step("start-job:starting")
                spawned = partial(self._site.step, "start-job:spawned")
                launch(folder, present.uid, program=RUNNER, reader=self._site.reader, spawned=spawned)
                self._site.step("start-job:started")

    def remove(self, action: Action) -> None:
        """Ends it if it runs, and deletes its record and log. Absent is success."""
        with self._site.locks.hold(_lock(action.name)):
            present = self._expected(action)
            if present is None:
                return
            folder = self.folder(action.name)
            last = self.last_run(action.name)
            if last is not None:
                ending.end(last, folder, grace=GRACE)
            self._site.step("remove-job:ended")
            away = durable.detach(folder, self._site.layout.trash)
            self._site.step("remove-job:detached")
            self._site.reader.forget(folder)
            durable.erase(away)
            self._erase_half_built(present)

    # --- reading

    def folder(self, name: str) -> Path:
        return self._site.layout.job(name)

    def names(self) -> list[str]:
        return sorted(path.name for path in self._site.layout.jobs.iterdir())

    def find(self, name: str) -> JobRecord | None:
        """None when the name is free. Raises ``ExistsNotOurs``, ``Damaged``."""
        folder = self.folder(name)
        present = self._site.reader.read(folder / layout.RECORD, JobRecord)
        if present is not None and present.mark == self._site.mark(KIND, name):
            return present
        if present is None and not folder.exists() and not folder.is_symlink():
            return None
        raise ExistsNotOurs(f"job {name}: {folder} is there without our mark; move it away")

    def ours(self) -> Iterator[JobRecord]:
        """Every job that proves to be ours. Raises ``Damaged``."""
        for name in self.names():
            present = self._site.reader.read(self._site.layout.jobs / name / layout.RECORD, JobRecord)
            if present is not None and present.mark == self._site.mark(KIND, name):
                yield present

    def last_run(self, name: str) -> RunRecord | None:
        return self._site.reader.read(self.folder(name) / layout.RUN, RunRecord)

    def ended(self, name: str) -> JobExit | None:
        return self._site.reader.read(self.folder(name) / layout.EXIT, JobExit)

    def state(self, name: str) -> JobState:
        """How far it is. Raises ``Damaged``."""
        return receipts.state(self._site.reader, self.folder(name))

    # --- within

    def _expected(self, action: Action) -> JobRecord | None:
        present = self.find(action.name)
        if present is not None and present.uid != action.expects:
            raise Conflict(f"job {action.name}: was made anew meanwhile")
        return present

    def _record(self, action: Action, spec: JobSpec) -> None:
        self._preparation.check(spec.workload)
        secrets = {} if spec.kind == "build" else self._preparation.secret_values(spec.workload)
        aside = self._site.layout.trash / f"{action.name}.{self._site.new_uid()}"
        uid = self._site.new_uid()
        with self._addresses.giving_out():
            ports = {} if spec.kind == "build" else self._addresses.assign(_unbound(spec), {})
            made = self._made(action, spec, uid=uid, ports=ports)
            to_launch = self._build(made, spec) if spec.kind == "build" else self._release(made, spec, secrets)
            self._site.step("create-job:preparing")
            make_folder(aside, identity=made, launch=to_launch, user=spec.workload.template.user)
            self._site.step("create-job:prepared")
            publish(aside, self.folder(action.name))
        self._site.step("create-job:recorded")

    def _made(self, action: Action, spec: JobSpec, *, uid: str, ports: dict[str, int]) -> JobRecord:
        artifact = spec.workload.template.artifact
        return JobRecord(
            mark=self._site.mark(KIND, action.name),
            uid=uid,
            key=action.key,
            unit=action.unit,
            slot=spec.slot,
            kind=spec.kind,
            created=self._site.clock.now(),
            uses=artifact.id if spec.kind == "build" else artifact.name,
            artifact=spec.artifact,
            ports=ports,
        )

    def _erase_half_built(self, gone: JobRecord) -> None:
        place = self._site.layout.artifacts / f"{BUILD}{gone.uid}"
        published = bool(gone.artifact) and self._site.layout.artifact(gone.artifact).resolve() == place
        if place.is_dir() and not published:
            durable.erase(place)

    def _build(self, made: JobRecord, spec: JobSpec) -> JobLaunch:
        """A build sees no variables: its result is shared by all that have the same tree and commands."""
        folder = self.folder(made.mark.name)
        place = str(self._site.layout.artifacts / f"{BUILD}{made.uid}")
        surroundings = render.Surroundings(artifact=place, home=str(folder / "home"), tmp=str(folder / "tmp"))
        source = str(self._preparation.artifact_place(made.uses))
        result = str(self._site.layout.artifact(spec.artifact))
        env, user = render.conveniences(surroundings), spec.workload.template.user
        commands = tuple(render.arguments(command, {}) for command in spec.commands)
        return JobLaunch(commands, env, place, spec.timeout, user, build=BuildPlace(source, place, result))

    def _release(self, made: JobRecord, spec: JobSpec, secrets: dict[str, str]) -> JobLaunch:
        folder, workload, preparation = self.folder(made.mark.name), spec.workload, self._preparation
        surroundings = preparation.surroundings(
            workload, folder, ports=made.ports, links=spec.links, secrets=secrets
        )  # fmt: skip
        env = render.environment(workload, surroundings)
        preparation.adopt_volumes(workload)
        return JobLaunch(
            commands=tuple(render.arguments(command, env) for command in spec.commands),
            env=env,
            cwd=preparation.start_dir(workload, surroundings.artifact),
            timeout=spec.timeout,
            user=workload.template.user,
            secrets=render.secret_names(workload, env, secrets),
        )


def _unbound(spec: JobSpec) -> tuple[Port, ...]:
    """The workload's ports, with numbers of the job's own: the declared ones belong to its instances."""
    return tuple(replace(port, host_port=0) for port in spec.workload.template.ports)


def _lock(name: str) -> str:
    """Jobs and instances may have the same name."""
    return f"job/{name}"

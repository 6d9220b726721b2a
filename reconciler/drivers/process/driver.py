"""The driver of servers with ``engine: process``: one state root on this machine, behind the port."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.desired.objects import Tree, VolumeObject, Workload
from reconciler.drivers.process import compare, durable, logs, proc
from reconciler.drivers.process.addresses import Addresses
from reconciler.drivers.process.artifacts import BUILD, Artifacts
from reconciler.drivers.process.edge import EdgeHost
from reconciler.drivers.process.health import Vitals
from reconciler.drivers.process.instances import Instances
from reconciler.drivers.process.jobs import Jobs
from reconciler.drivers.process.layout import Layout, checked_name
from reconciler.drivers.process.observe import Observer
from reconciler.drivers.process.prepare import Preparation
from reconciler.drivers.process.record import RunRecord
from reconciler.drivers.process.site import Site, Steps, unobserved
from reconciler.drivers.process.supervise import Supervisor
from reconciler.drivers.process.verdicts import Verdicts
from reconciler.drivers.process.volumes import Volumes
from reconciler.errors import Conflict, InvalidInput, TransientError
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Health, Instance, JobState, Target, Verdict
from reconciler.plan.actions import Action, AddressSpec, Difference, EdgeSpec, InstanceSpec, JobSpec, SettingsSpec, Verb
from reconciler.ports import BlobReader, Clock, EdgeMaker, SecretResolver


class ProcessDriver:
    """Implements ``ports.TargetDriver``. Several objects on one root see the same things; only one may supervise."""

    def __init__(
        self,
        key: ResourceKey,
        *,
        root: Path,
        instance_id: str,
        blobs: BlobReader,
        secrets: SecretResolver,
        clock: Clock,
        edge: EdgeMaker | None = None,
        port_range: tuple[int, int] = (20000, 29999),
        steps: Steps = unobserved,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Makes the folders below ``root`` where they are missing; touches nothing else. Without ``edge`` it has no
        edge proxy to start."""
        self.key = key
        layout = Layout(root.resolve())
        layout.prepare()
        self._site = site = Site(layout, instance_id, clock, step=steps, port_range=port_range)
        self._addresses, self._volumes, self._verdicts = Addresses(site), Volumes(site), Verdicts(site)
        self._artifacts = Artifacts(site, blobs)
        preparation = Preparation(site, self._artifacts, self._volumes, secrets)
        self._instances = Instances(site, preparation, self._addresses)
        self._jobs = Jobs(site, preparation, self._addresses)
        self._edge = EdgeHost(site, edge)
        self._jitter = jitter
        self._supervisor: Supervisor | None = None
        self._closed = threading.Event()
        self._observer = Observer(
            key, site, self._instances, self._jobs, self._volumes, self._artifacts, self._verdicts, self._edge.observe,
            self._vitals,
        )  # fmt: skip

    # --- the port

    def observe(self) -> Target:
        return self._observer.target()

    def apply(self, action: Action) -> None:
        try:
            self._dispatch(action)
        except OSError as error:
            reason = f"{error.filename or self._site.layout.root}: {error.strerror}"
            raise TransientError(f"{action.verb} {action.name}: {reason}") from error

    def compare(self, workload: Workload, instance: Instance) -> tuple[Difference, ...]:
        return compare.compare(workload, instance)

    def watch(self, changed: Callable[[], None]) -> None:
        """Also finishes deletions that a daemon before this one had begun."""
        self._sweep()
        supervisor = Supervisor(
            self._site, self._instances, self._jobs, self._edge, changed=changed, jitter=self._jitter
        )
        self._supervisor = supervisor
        supervisor.start()

    def logs(self, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        places, name = self._site.layout, checked_name(instance)
        for folder in (places.instances / name, places.jobs / name, places.departed / name):
            if folder.is_dir():
                return logs.read(folder, self._site.reader, lines=tail, follow=follow, ended=self._closed)
        raise InvalidInput(f"{instance}: no instance and no job of {self.key} has this name")

    def close(self) -> None:
        self._closed.set()
        if self._supervisor is not None:
            self._supervisor.close()
            self._supervisor = None

    # --- actions

    def _dispatch(self, action: Action) -> None:
        match action.verb:
            case Verb.CREATE | Verb.START | Verb.STOP | Verb.REMOVE | Verb.UPDATE:
                try:
                    self._apply_to_instance(action)
                finally:
                    self._look(action.name)
            case Verb.CREATE_JOB | Verb.START_JOB | Verb.REMOVE_JOB:
                self._apply_to_job(action)
            case Verb.START_EDGE | Verb.STOP_EDGE | Verb.CONFIGURE_EDGE:
                self._apply_to_edge(action)
            case _:
                self._apply_to_rest(action)

    def _apply_to_instance(self, action: Action) -> None:
        match action.verb, action.payload:
            case Verb.CREATE, InstanceSpec() as spec:
                self._instances.create(action, spec)
            case Verb.UPDATE, SettingsSpec(settings):
                self._instances.update(action, dict(settings))
            case Verb.START, _:
                self._instances.start(action)
            case Verb.STOP, _:
                self._instances.stop(action)
            case Verb.REMOVE, _:
                self._instances.remove(action)
            case _:
                raise _no_payload(action)

    def _apply_to_job(self, action: Action) -> None:
        match action.verb, action.payload:
            case Verb.CREATE_JOB, JobSpec() as spec:
                self._jobs.create(action, spec)
            case Verb.START_JOB, _:
                self._jobs.start(action)
                if self._supervisor is not None:
                    self._supervisor.look_at_job(action.name)
            case Verb.REMOVE_JOB, _:
                self._jobs.remove(action)
            case _:
                raise _no_payload(action)

    def _apply_to_edge(self, action: Action) -> None:
        match action.verb, action.payload:
            case Verb.START_EDGE, EdgeSpec() as spec:
                self._edge.start(spec)
            case Verb.STOP_EDGE, _:
                self._edge.stop()
            case Verb.CONFIGURE_EDGE, EdgeSpec() as spec:
                self._edge.configure(spec)
            case _:
                raise _no_payload(action)
        if self._supervisor is not None:
            self._supervisor.look_at_edge()

    def _apply_to_rest(self, action: Action) -> None:
        match action.verb, action.payload:
            case Verb.CREATE_VOLUME, VolumeObject() as volume:
                self._volumes.create(action, volume)
            case Verb.DELETE_VOLUME, _:
                self._volumes.delete(action, in_use=self._mounted(action.name))
            case Verb.RESERVE_ADDRESS, AddressSpec() as address:
                self._addresses.reserve(action, address)
            case Verb.RELEASE_ADDRESS, _:
                self._addresses.release(action)
            case Verb.EXPORT_TREE, Tree() as tree:
                self._artifacts.export(action.name, tree)
            case Verb.REMOVE_ARTIFACT, _:
                self._remove_artifact(action.name)
            case Verb.RECORD_VERDICT, Verdict() as verdict:
                self._verdicts.put(verdict)
            case Verb.CLEAR_VERDICT, _:
                self._verdicts.clear(action.key)
            case _:
                raise _no_payload(action)

    # --- across kinds

    def _mounted(self, volume: str) -> bool:
        users = (i.mark.name for i in self._instances.ours() if volume in i.mounts)
        return any(proc.alive(self._instances.last_run(name)) for name in users)

    def _remove_artifact(self, name: str) -> None:
        with self._addresses.giving_out():  # whoever would run from it is put on record under the same lock
            self._refuse_if_used(name)
            away = self._artifacts.detach(name)
        if away is not None:
            self._site.step("remove-artifact:detached")
            durable.erase(away)

    def _refuse_if_used(self, artifact: str) -> None:
        users = [i.mark.name for i in self._instances.ours() if i.artifact == artifact]
        pending = (JobState.CREATED, JobState.RUNNING)
        users += [
            j.mark.name for j in self._jobs.ours() if j.uses == artifact and self._jobs.state(j.mark.name) in pending
        ]
        if users:
            raise Conflict(f"artifact {artifact}: {', '.join(users)} still run from it")

    def _sweep(self) -> None:
        layout = self._site.layout
        for left in layout.trash.iterdir():
            durable.erase(left)
        builds = {str(layout.artifacts / f"{BUILD}{job.uid}") for job in self._jobs.ours()}
        self._artifacts.sweep(builds)

    def _look(self, name: str) -> None:
        if self._supervisor is not None:
            self._supervisor.look(name)

    def _vitals(self, name: str, run: RunRecord) -> Vitals:
        return Vitals(Health.UNKNOWN) if self._supervisor is None else self._supervisor.vitals(name, run)


def _no_payload(action: Action) -> InvalidInput:
    return InvalidInput(f"{action.verb} {action.name}: carries {type(action.payload).__name__}, which it cannot use")

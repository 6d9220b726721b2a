"""A modelled world: what each action does to a snapshot, and what time does to it. Frozen; every step gives a new one.

``reconciler plan`` walks it to show the whole way; the memory driver puts it behind the driver port; the property tests
break it. How releases behave is data: by default everything gets healthy and every job succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from reconciler.desired.objects import Tree, VolumeObject
from reconciler.errors import Conflict, ExistsNotOurs
from reconciler.manifests.identity import ResourceKey
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
    Verdict,
    Volume,
)
from reconciler.plan.actions import (
    Action,
    AddressSpec,
    EdgeSpec,
    InstanceSpec,
    JobSpec,
    Payload,
    SettingsSpec,
    Verb,
)
from reconciler.plan.targets import edge_settings

_T = TypeVar("_T")

Fate = tuple[tuple[float, State | Health], ...]
"""What becomes of an instance, by seconds since its start: a health, or State.EXITED. In order."""

HEALTHY_SOON: Fate = ((2.0, Health.HEALTHY),)


def everything_works(_: Instance) -> Fate:
    """The assumption that a plan is shown under."""
    return HEALTHY_SOON


def jobs_succeed(_: Job) -> tuple[float, JobState]:
    """Likewise for jobs: (seconds, how it ends)."""
    return (3.0, JobState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Model:
    """All targets at one moment. ``serial`` numbers what is created; ``blind`` collections cannot be read."""

    targets: Mapping[ResourceKey, Target]
    now: float = 0.0
    serial: int = 0
    fate: Callable[[Instance], Fate] = everything_works
    job_fate: Callable[[Job], tuple[float, JobState]] = jobs_succeed
    blind: Mapping[ResourceKey, frozenset[Collection]] = field(default_factory=dict)

    def observed(self) -> Mapping[ResourceKey, Target]:
        """What can be seen of it: nothing of a blind collection."""
        return {key: _blinded(t, self.blind.get(key, frozenset()), self.now) for key, t in self.targets.items()}

    def at(self, now: float) -> Model:
        """The same world later."""
        aged = {key: _aged(target, now, self.fate, self.job_fate) for key, target in self.targets.items()}
        return replace(self, targets=aged, now=now)

    def next_change(self) -> float | None:
        """When it next changes by itself."""
        times = [
            i.since + after
            for t in self.targets.values()
            for i in t.instances.values()
            if i.up
            for after, _ in self.fate(i)
        ]
        times += [
            j.created + self.job_fate(j)[0]
            for t in self.targets.values()
            for j in t.jobs.values()
            if j.state is JobState.RUNNING
        ]
        return min((t for t in times if t > self.now), default=None)

    def after(self, action: Action) -> Model:
        """The world once an action is done. Raises ``Conflict`` and ``ExistsNotOurs`` as a driver would."""
        target = self.targets[action.unit.target]
        changed = _HANDLERS[action.verb](target, action, self)
        targets = {**self.targets, action.unit.target: changed}
        return replace(self, targets=targets, serial=self.serial + 1).at(self.now)


def _blinded(target: Target, blind: frozenset[Collection], now: float) -> Target:
    hidden: dict[str, Any] = {c.value: frozenset() if c is Collection.ARTIFACTS else {} for c in blind}
    return replace(target, observed_at=now, unknown=blind, trouble="blinded" if blind else "", **hidden)


def _aged(
    target: Target,
    now: float,
    fate: Callable[[Instance], Fate],
    job_fate: Callable[[Job], tuple[float, JobState]],
) -> Target:
    instances = {name: _aged_instance(i, now, fate(i)) for name, i in target.instances.items()}
    jobs = {name: _aged_job(j, now, *job_fate(j)) for name, j in target.jobs.items()}
    built = {
        j.slot.removeprefix("build:")
        for j in jobs.values()
        if j.state is JobState.SUCCEEDED and j.slot.startswith("build:")
    }
    return replace(target, instances=instances, jobs=jobs, artifacts=target.artifacts | built)


def _aged_instance(instance: Instance, now: float, fate: Fate) -> Instance:
    if not instance.up:
        return instance
    due = [what for after, what in fate if now - instance.since >= after]
    if State.EXITED in due:
        return replace(instance, state=State.EXITED, health=Health.UNKNOWN, exits=instance.exits + 1)
    health = next((what for what in reversed(due) if isinstance(what, Health)), Health.STARTING)
    return replace(instance, health=health)


def _aged_job(job: Job, now: float, after: float, end: JobState) -> Job:
    if job.state is JobState.RUNNING and now - job.created >= after:
        return replace(job, state=end, exit_code=0 if end is JobState.SUCCEEDED else 1)
    return job


# --- what each verb does ---------------------------------------------------------------------------------------------


def _create(target: Target, action: Action, model: Model) -> Target:
    spec = _of(action.payload, InstanceSpec)
    if action.name in target.instances:
        return _already(target, target.instances[action.name].ours, action)
    w = spec.workload
    made = Instance(
        action.name,
        uid=f"u{model.serial}",
        key=w.key,
        unit=w.unit,
        release=w.release,
        stamp=w.stamp,
        ordinal=spec.ordinal,
        state=State.RUNNING,
        health=Health.STARTING,
        created=float(model.serial),
        artifact=w.template.artifact.name,
        settings=dict(w.settings),
        ports={p.name: spec.addresses.get(p.name, 30000 + model.serial) for p in w.template.ports},
        since=model.now,
    )
    return replace(target, instances={**target.instances, action.name: made})


def _start(target: Target, action: Action, model: Model) -> Target:
    found = _expected(target, action)
    if found.up:
        return target
    return _with(target, replace(found, state=State.RUNNING, health=Health.STARTING, since=model.now))


def _stop(target: Target, action: Action, model: Model) -> Target:
    found = _expected(target, action)
    return _with(target, replace(found, state=State.STOPPED, health=Health.UNKNOWN, since=model.now))


def _remove(target: Target, action: Action, _: Model) -> Target:
    if action.name not in target.instances:
        return target
    _expected(target, action)
    return replace(target, instances=_without(target.instances, action.name))


def _update(target: Target, action: Action, _: Model) -> Target:
    return _with(target, replace(_expected(target, action), settings=_of(action.payload, SettingsSpec).settings))


def _create_volume(target: Target, action: Action, model: Model) -> Target:
    if action.name in target.volumes:
        return _already(target, target.volumes[action.name].ours, action)
    spec = _of(action.payload, VolumeObject)
    made = Volume(action.name, f"v{model.serial}", spec.key, spec.unit, path=spec.bind_path)
    return replace(target, volumes={**target.volumes, action.name: made})


def _delete_volume(target: Target, action: Action, _: Model) -> Target:
    return replace(target, volumes=_without(target.volumes, action.name))


def _reserve(target: Target, action: Action, _: Model) -> Target:
    if action.name in target.addresses:
        return target
    spec = _of(action.payload, AddressSpec)
    taken = {a.port for a in target.addresses.values()}
    first, last = spec.port_range
    port = spec.host_port or next(p for p in range(first, last + 1) if p not in taken)
    made = Address(action.name, spec.key, spec.unit, spec.port_name, spec.bind, port, spec.ordinal)
    return replace(target, addresses={**target.addresses, action.name: made})


def _release(target: Target, action: Action, _: Model) -> Target:
    return replace(target, addresses=_without(target.addresses, action.name))


def _export(target: Target, action: Action, _: Model) -> Target:
    return replace(target, artifacts=target.artifacts | {_of(action.payload, Tree).id})


def _remove_artifact(target: Target, action: Action, _: Model) -> Target:
    return replace(target, artifacts=target.artifacts - {action.name})


def _create_job(target: Target, action: Action, model: Model) -> Target:
    if action.name in target.jobs:
        return _already(target, target.jobs[action.name].ours, action)
    spec = _of(action.payload, JobSpec)
    w = spec.workload
    made = Job(action.name, f"j{model.serial}", w.key, w.unit, spec.slot, JobState.CREATED, created=model.now)
    return replace(target, jobs={**target.jobs, action.name: made})


def _start_job(target: Target, action: Action, model: Model) -> Target:
    found = target.jobs.get(action.name)
    if found is None or found.uid != action.expects:
        raise Conflict(f"{action.name}: not the job that was expected")
    if found.state is not JobState.CREATED:
        return target
    started = replace(found, state=JobState.RUNNING, created=model.now)
    return replace(target, jobs={**target.jobs, action.name: started})


def _remove_job(target: Target, action: Action, _: Model) -> Target:
    return replace(target, jobs=_without(target.jobs, action.name))


def _record_verdict(target: Target, action: Action, _: Model) -> Target:
    return replace(target, verdicts={**target.verdicts, action.key: _of(action.payload, Verdict)})


def _clear_verdict(target: Target, action: Action, _: Model) -> Target:
    return replace(target, verdicts={k: v for k, v in target.verdicts.items() if k != action.key})


def _start_edge(target: Target, action: Action, _: Model) -> Target:
    """With what it was last told; a new one listens, and knows no route yet."""
    edge = target.edge if target.edge.settings else _edge(_of(action.payload, EdgeSpec))
    return replace(target, edge=replace(edge, state=EdgeState.RUNNING, detail=""))


def _edge(spec: EdgeSpec) -> Edge:
    listening = (spec.edge.http,) if spec.edge.http else ()
    return Edge(EdgeState.RUNNING, listening=listening, settings=edge_settings(spec.edge))


def _stop_edge(target: Target, _action: Action, _: Model) -> Target:
    return replace(target, edge=Edge(), routes={})


def _configure_edge(target: Target, action: Action, _: Model) -> Target:
    spec = _of(action.payload, EdgeSpec)
    foreign = {name: route for name, route in target.routes.items() if not route.ours}
    return replace(target, edge=_edge(spec), routes={**foreign, **{r.id: r for r in spec.routes}})


_HANDLERS: Mapping[Verb, Callable[[Target, Action, Model], Target]] = {
    Verb.CREATE: _create,
    Verb.START: _start,
    Verb.STOP: _stop,
    Verb.REMOVE: _remove,
    Verb.UPDATE: _update,
    Verb.CREATE_VOLUME: _create_volume,
    Verb.DELETE_VOLUME: _delete_volume,
    Verb.RESERVE_ADDRESS: _reserve,
    Verb.RELEASE_ADDRESS: _release,
    Verb.EXPORT_TREE: _export,
    Verb.REMOVE_ARTIFACT: _remove_artifact,
    Verb.CREATE_JOB: _create_job,
    Verb.START_JOB: _start_job,
    Verb.REMOVE_JOB: _remove_job,
    Verb.RECORD_VERDICT: _record_verdict,
    Verb.CLEAR_VERDICT: _clear_verdict,
    Verb.START_EDGE: _start_edge,
    Verb.STOP_EDGE: _stop_edge,
    Verb.CONFIGURE_EDGE: _configure_edge,
}


def _of(payload: Payload, kind: type[_T]) -> _T:
    if not isinstance(payload, kind):
        raise TypeError(f"payload is {type(payload).__name__}, expected {kind.__name__}")
    return payload


def _already(target: Target, ours: bool, action: Action) -> Target:
    if not ours:
        raise ExistsNotOurs(f"{action.name}: it is there and is not ours")
    return target


def _expected(target: Target, action: Action) -> Instance:
    found = target.instances.get(action.name)
    if found is None or found.uid != action.expects:
        raise Conflict(f"{action.name}: expected {action.expects}, found {found.uid if found else 'nothing'}")
    return found


def _with(target: Target, instance: Instance) -> Target:
    return replace(target, instances={**target.instances, instance.name: instance})


def _without(mapping: Mapping[str, _T], name: str) -> dict[str, _T]:
    return {key: value for key, value in mapping.items() if key != name}

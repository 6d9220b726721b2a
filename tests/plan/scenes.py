"""Scenes for the planner's tests: small desired states, put together by name, and simulations over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from reconciler.desired.fingerprint import release_of, stamp_of
from reconciler.desired.names import volume_name
from reconciler.desired.objects import (
    ApprovalObject,
    Artifact,
    Desired,
    EdgeObject,
    Link,
    Mount,
    Port,
    Probe,
    ReleaseCommand,
    Rollout,
    RouteObject,
    TargetObject,
    Template,
    Tree,
    UnitPolicy,
    Value,
    VolumeObject,
    Workload,
)
from reconciler.desired.routes import addresses_of
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.observed.snapshot import Health, Instance, RouteShape, State, Target
from reconciler.plan.actions import Verb
from reconciler.plan.model import HEALTHY_SOON, Fate, Model
from reconciler.plan.simulate import Simulation

PROJECT = "shop"
HERE, THERE = server("here"), server("there")
NEVER_HEALTHY: Fate = ((5.0, Health.UNHEALTHY),)
FLAPPING: Fate = ((2.0, Health.HEALTHY), (6.0, Health.UNHEALTHY))
CRASHING: Fate = ((1.0, State.EXITED),)


def key(name: str, environment: str = "production", kind: str = "Resource") -> ResourceKey:
    """The expanded identity of something in the shop."""
    return ResourceKey(kind, PROJECT, name, environment)


@dataclass(frozen=True)
class Res:
    """One resource of a scene; ``version`` is its command: "bad…" never gets healthy, "flap…" flaps, "crash…" exits."""

    name: str
    version: str = "good"
    environment: str = "production"
    target: ResourceKey = HERE
    replicas: int = 1
    domain: str = ""
    depends_on: tuple[str, ...] = ()
    volume: str = ""
    stop_first: bool = False
    restart_previous: bool | None = None
    restart_token: str = ""
    reconcile_token: str = ""
    secret: str = ""
    release_command: bool = False
    build: bool = False
    running: bool = True
    port: bool = True
    links: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    hold: str = ""
    report_drift: bool = False
    keep: int = 3
    static: bool = False
    source: str = "root"

    def workload(self, edges: frozenset[ResourceKey]) -> Workload:
        """Its workload; the shape is what ``assemble`` would make of a manifest that says the same."""
        own = key(self.name, self.environment)
        edge = self.target in edges
        fixed = self.port and not edge
        why = "a single-writer volume" if self.volume else "a fixed port and no edge" if fixed else "declared"
        stop_first = self.stop_first or bool(self.volume) or fixed
        template = self._template(own, edge=edge)
        digests = {"KEY": self.secret} if self.secret else {}
        back = self.restart_previous if self.restart_previous is not None else not self.volume
        return Workload(
            own,
            UnitKey(self.target, PROJECT, self.environment),
            template,
            release_of(template),
            stamp_of(restart_token=self.restart_token, redeploy_token="", secret_digests=digests),
            replicas=0 if self.static else self.replicas,
            rollout=Rollout(stop_first, why if stop_first else "", 30.0, 10.0, self.keep, bool(self.volume), back),
            settings=dict(self.settings),
            release_command=ReleaseCommand(("migrate",)) if self.release_command else None,
            depends_on=tuple(key(name, self.environment) for name in sorted(self.depends_on)),
            running=self.running,
            static=self.static,
            reconcile_token=self.reconcile_token,
            hold=self.hold,
            report_drift=self.report_drift,
            source=self.source,
        )

    def _template(self, own: ResourceKey, *, edge: bool) -> Template:
        tree = f"tree-{self.name}-{self.version}"
        commands = (("make",),) if self.build else ()
        env: list[tuple[str, Value]] = [
            (f"{other.upper()}_URL", Link(key(other, self.environment), "http")) for other in self.links
        ]
        return Template(
            Artifact("tree", tree, f"build-{tree}" if self.build else tree, commands),
            command=(self.version,),
            env=tuple(sorted(env)),
            mounts=(Mount("/data", self.volume_name(own), "rw", "DATA"),) if self.volume else (),
            ports=(Port("http", 0, main=True, fixed=not edge),) if self.port and not self.static else (),
            probe=Probe("tcp", port="http") if self.port else Probe("quiet"),
        )

    def volume_name(self, own: ResourceKey) -> str:
        """The object name of the volume it mounts."""
        return volume_name(key(self.volume, own.environment, "Volume"))


@dataclass(frozen=True)
class World:
    """A desired state: resources, and what is said of the world around them."""

    resources: tuple[Res, ...] = ()
    edge: bool = True
    deletion: str = "retain"
    extra: dict[str, object] = field(default_factory=dict)

    def desired(self) -> Desired:
        """The frozen value that the planner gets."""
        edges = frozenset({HERE, THERE}) if self.edge else frozenset()
        workloads = sorted((r.workload(edges) for r in self.resources), key=lambda w: w.key)
        volumes = {v.key: v for r in self.resources if r.volume for v in [self._volume(r)]}
        environments = frozenset((PROJECT, r.environment) for r in self.resources) | {(PROJECT, "production")}
        made = Desired(
            revisions={"root": "r1"},
            workloads=tuple(workloads),
            volumes=tuple(volumes[k] for k in sorted(volumes)),
            routes=tuple(sorted((r for r in map(self._route, self.resources) if r), key=lambda r: (r.id, r.resource)))
            + tuple(addresses_of(workloads)),
            targets={t: TargetObject(t, "process", edge=self._edge(), source="root") for t in (HERE, THERE)},
            units={w.unit: UnitPolicy() for w in workloads},
            declared=dict.fromkeys([*(w.key for w in workloads), *volumes, HERE, THERE], "root"),
            projects=frozenset({PROJECT}),
            environments=environments,
            trees={
                w.template.artifact.id: Tree(w.template.artifact.id, "root", (("app", "0" * 40, True),))
                for w in workloads
            },
        )
        return replace(made, **self.extra)  # type: ignore[arg-type]

    def _volume(self, res: Res) -> VolumeObject:
        own = key(res.volume, res.environment, "Volume")
        unit = UnitKey(res.target, PROJECT, res.environment)
        return VolumeObject(own, unit, volume_name(own), self.deletion, source="root")  # type: ignore[arg-type]

    def _route(self, res: Res) -> RouteObject | None:
        if not res.domain:
            return None
        unit = UnitKey(res.target, PROJECT, res.environment)
        return RouteObject(f"{res.domain}/", key(res.name, res.environment), unit, "http", RouteShape(res.domain))

    def _edge(self) -> EdgeObject | None:
        return EdgeObject() if self.edge else None


def want(*resources: Res, edge: bool = True, deletion: str = "retain", **extra: object) -> Desired:
    """A desired state of these resources; ``extra`` replaces fields of it."""
    return World(tuple(resources), edge=edge, deletion=deletion, extra=dict(extra)).desired()


def approval(gate: str, *, name: str = "yes", expires_at: float = 1e12) -> ApprovalObject:
    """Somebody's consent to a gate."""
    return ApprovalObject(name, gate, "because", expires_at, source="root")


def by_release(*states: Desired) -> Callable[[Instance], Fate]:
    """How releases behave: as the first words of their command say."""
    fates = {"bad": NEVER_HEALTHY, "flap": FLAPPING, "crash": CRASHING}
    known: dict[str, Fate] = {}
    for state in states:
        for w in state.workloads:
            known[w.release] = next(
                (f for word, f in fates.items() if w.template.command[0].startswith(word)), HEALTHY_SOON
            )
    return lambda instance: known.get(instance.release, HEALTHY_SOON)


def simulation(*states: Desired) -> Simulation:
    """An empty world in which the releases of these states behave as their names say."""
    return Simulation(Model({HERE: Target(), THERE: Target()}, now=1000.0, fate=by_release(*states)))


def settled(*states: Desired) -> Simulation:
    """The world after each of these states was wanted in turn."""
    sim = simulation(*states)
    for state in states:
        sim.settle(state)
    return sim


def running(sim: Simulation, target: ResourceKey = HERE) -> list[str]:
    """Names of instances that run, without their digits: ``web`` per instance."""
    return sorted(i.key.name for i in sim.model.targets[target].instances.values() if i.up)


def up(sim: Simulation, target: ResourceKey = HERE) -> list[str]:
    """Names of the instances that run."""
    return sorted(i.name for i in sim.model.targets[target].instances.values() if i.up)


def routes(sim: Simulation, target: ResourceKey = HERE) -> dict[str, list[str]]:
    """What each public route leads to."""
    found = sim.model.targets[target].routes.values()
    return {r.id: sorted(r.upstreams) for r in found if not r.shape.listen}


_COUNTED = frozenset(
    {Verb.CREATE, Verb.REMOVE, Verb.CREATE_VOLUME, Verb.DELETE_VOLUME, Verb.START_JOB, Verb.CREATE_JOB}
)


def writes(sim: Simulation) -> Counter[tuple[str, str]]:
    """Creations and deletions, by verb and object."""
    return Counter((s.action.verb.value, s.action.name) for s in sim.steps if s.action.verb in _COUNTED)


def end(sim: Simulation) -> tuple[object, ...]:
    """Everything that must be the same at the end, whatever went wrong on the way."""
    told = []
    for target in (HERE, THERE):
        seen = sim.model.targets[target]
        told.append((up(sim, target), sorted(seen.instances), routes(sim, target), sorted(seen.volumes)))
        told.append((sorted(seen.addresses), sorted(seen.artifacts), sorted(map(str, seen.verdicts))))
    return tuple(told)


def blocks(sim: Simulation) -> dict[str, str]:
    """Reason by subject, of every block that is open."""
    return {str(b.key): b.reason for p in sim.plans.values() for b in p.blocks}


def verbs(sim: Simulation) -> list[str]:
    """What was done, in order, in the plan's words."""
    return [f"{s.action.verb} {s.action.key.name}" for s in sim.steps]


def forget(sim: Simulation, *what: str) -> None:
    """Loses what a daemon remembers: inventory, progress, claims, approvals."""
    for name in what:
        getattr(sim, name).clear()


def pairs(items: Iterable[str]) -> list[str]:
    """Sorted, for comparing."""
    return sorted(items)

"""One seed, one world: many changes, kills, losses and blind spots; what must never be, and what must be at the end."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from reconciler.desired.objects import Desired, Workload
from reconciler.observed.snapshot import Collection
from reconciler.plan.actions import Action, Verb
from reconciler.plan.model import HEALTHY_SOON
from reconciler.plan.serving import complete
from reconciler.plan.simulate import Simulation
from tests.plan.scenes import HERE, NEVER_HEALTHY, THERE, Res, forget, simulation, want

NAMES = ("web", "api", "worker", "db", "beat", "site")


class Killed(Exception):
    """The daemon died."""


def a_resource(rnd: random.Random, name: str) -> Res:
    """A resource as somebody might commit it."""
    res = Res(name, rnd.choice(["good1", "good2", "good3", "bad1"]), replicas=rnd.choice([1, 1, 2, 3]))
    if name in ("web", "site"):
        res = replace(res, domain=f"{name}.example")
    if name == "web":
        res = replace(res, depends_on=("api",), secret=rnd.choice(["h1", "h2"]))
    if name == "worker":
        res = replace(res, stop_first=rnd.random() < 0.5, port=False)
    if name == "db":
        res = replace(res, volume="media", replicas=1)
    if name == "beat":
        res = replace(res, build=rnd.random() < 0.5, release_command=rnd.random() < 0.5)
    return res


def a_desired(rnd: random.Random, *, moves: bool, edge: bool) -> Desired:
    """A commit: most of the shop, in some version, now and then on the other server."""
    target = THERE if moves and rnd.random() < 0.1 else HERE
    chosen = [a_resource(rnd, name) for name in NAMES if name == "api" or rnd.random() > 0.2]
    return want(*(replace(res, target=target) for res in chosen), edge=edge)


class Play:
    """Twelve commits, with everything that can go wrong in between."""

    def __init__(self, seed: int, *, moves: bool, edge: bool) -> None:
        self.rnd = random.Random(seed)
        self.moves, self.edge = moves, edge
        self.bad: set[str] = set()
        self.current = want(edge=edge)
        self.trouble: list[str] = []
        self.kill = 0.0
        self.sim = simulation()
        self.sim.model = replace(
            self.sim.model, fate=lambda i: NEVER_HEALTHY if i.release in self.bad else HEALTHY_SOON
        )
        self.sim.before_action = self.watch

    def watch(self, action: Action) -> None:
        """What no planner may do, and the chance to die."""
        if action.verb in {Verb.STOP, Verb.REMOVE}:
            self.watch_end_of_instance(action)
        if action.verb is Verb.DELETE_VOLUME:
            self.trouble.append(f"deletes {action.name}")
        if self.rnd.random() < self.kill:
            raise Killed

    def watch_end_of_instance(self, action: Action) -> None:
        """The last good one of something that is wanted stays; what is routed is not stopped."""
        target = self.sim.model.targets[action.unit.target]
        found = target.instances[action.name]
        wanted = next((w for w in self.current.workloads if w.key == found.key), None)
        if not found.good or wanted is None or wanted.rollout.stop_first or not wanted.running:
            return
        if found.ordinal < wanted.replicas and not self.others_good(found.key, found.uid):
            self.trouble.append(f"stops the last good one: {action.name}")
        if any(found.name in route.upstreams for route in target.routes.values()):
            self.trouble.append(f"stops what is routed: {action.name}")

    def others_good(self, key: object, uid: str) -> bool:
        return any(
            i.good and i.uid != uid and i.key == key
            for t in self.sim.model.targets.values()
            for i in t.instances.values()
        )

    def run(self) -> Simulation:
        for _ in range(12):
            self.one_commit()
        self.kill = 0.0
        self.sim.model = replace(self.sim.model, blind={})
        self.sim.settle(self.current)
        return self.sim

    def one_commit(self) -> None:
        rnd, sim = self.rnd, self.sim
        self.current = a_desired(rnd, moves=self.moves, edge=self.edge)
        self.bad |= {w.release for w in self.current.workloads if w.template.command[0].startswith("bad")}
        self.kill = rnd.choice([0, 0.1, 0.3])
        blind = {HERE: frozenset({rnd.choice(list(Collection))})} if rnd.random() < 0.15 else {}
        sim.model = replace(sim.model, blind=blind)
        for _ in range(rnd.randrange(1, 5)):
            self.some_time()
        sim.model = sim.model.at(sim.model.now + rnd.choice([0, 1, 10, 100]))
        for what in ("progress", "claims"):
            if rnd.random() < 0.1:
                forget(sim, what)
        if rnd.random() < 0.2:
            self.vandalise()

    def some_time(self) -> None:
        try:
            self.sim.settle(self.current, horizon=self.rnd.choice([1, 10, 40, 300]))
        except Killed:
            forget(self.sim, "claims")
            if self.rnd.random() < 0.3:
                forget(self.sim, "progress")

    def vandalise(self) -> None:
        """Somebody removes something."""
        target = self.sim.model.targets[HERE]
        if target.instances:
            name = self.rnd.choice(sorted(target.instances))
            rest = {n: i for n, i in target.instances.items() if n != name}
            self.sim.model = replace(
                self.sim.model, targets={**self.sim.model.targets, HERE: replace(target, instances=rest)}
            )


def is_as_wanted(play: Play, workload: Workload) -> bool:
    """It is whole, or it says why not."""
    said = [b for p in play.sim.plans.values() for b in p.blocks if b.key == workload.key]
    target = play.sim.model.targets[workload.unit.target]
    return bool(said) or complete(workload, target.of(workload.key))


@pytest.mark.parametrize("edge", [True, False], ids=["edge", "no-edge"])
@pytest.mark.parametrize("moves", [True, False], ids=["moves", "stays"])
@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(10, 60))])
def test_any_history_ends_as_wanted(seed: int, moves: bool, edge: bool) -> None:
    """Nothing forbidden happens on the way, the end is stable, and all that is good is whole."""
    play = Play(seed, moves=moves, edge=edge)
    sim = play.run()
    done = len(sim.steps)
    sim.model = sim.model.at(sim.model.now + 5000)
    sim.settle(play.current)
    assert len(sim.steps) == done, [str(s.action) for s in sim.steps[done:]]
    assert not play.trouble
    for workload in play.current.workloads:
        if workload.release not in play.bad and not workload.depends_on:
            assert is_as_wanted(play, workload), workload.key
            failed = [
                b for p in sim.plans.values() for b in p.blocks if b.key == workload.key and b.reason == "ReleaseFailed"
            ]
            assert not failed, failed

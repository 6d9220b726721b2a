"""Every scene ends where it should, stays there, and ends there whatever is lost, killed or unknown on the way."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from reconciler.desired.objects import Desired
from reconciler.observed.snapshot import Collection
from reconciler.plan.actions import Action, Verb
from reconciler.plan.simulate import Simulation
from tests.plan.scenes import HERE, THERE, Res, end, forget, simulation, up, want, writes

WEB = Res("web", domain="shop.example", replicas=2, depends_on=("api",), secret="h1", links=("api",))
ST = Res("web", environment="staging", domain="st.example")
API, WORKER = Res("api"), Res("worker", port=False)
DB = Res("db", volume="media")


def docs(version: str = "good", secret: str = "h1", replicas: int = 2, *, worker: bool = True) -> Desired:
    """The shop: a routed web in two environments, an api, a database with a volume, a worker."""
    web = replace(WEB, version=version, secret=secret, replicas=replicas)
    extra = [replace(WORKER, version=version)] if worker else []
    return want(web, replace(ST, version=version), replace(API, version=version), replace(DB, version=version), *extra)


def web(version: str, **changes: object) -> Desired:
    """One routed resource."""
    return want(replace(Res("web", version, domain="shop.example"), **changes))  # type: ignore[arg-type]


def bare(version: str, **changes: object) -> Desired:
    """One resource on a target without an edge, as on the embedded default."""
    return want(replace(Res("web", version), **changes), edge=False)  # type: ignore[arg-type]


SCENES: dict[str, tuple[Desired | None, Desired]] = {
    "first": (None, docs()),
    "change": (docs(), docs("good2")),
    "secret": (docs(), docs(secret="h2")),
    "scale": (docs(), docs(replicas=3)),
    "down": (docs(replicas=3), docs(replicas=1)),
    "remove": (docs(), docs(worker=False)),
    "all-at-once": (docs(), docs("good2", "h2", 1, worker=False)),
    "fail": (web("good"), web("bad")),
    "flap": (web("good"), web("flap")),
    "crash": (web("good"), web("crash")),
    "fail-first": (None, web("bad")),
    "fail-stop-first": (web("good", stop_first=True), web("bad", stop_first=True)),
    "stop-first-3": (web("good", replicas=3, stop_first=True), web("good2", replicas=3, stop_first=True)),
    "no-edge": (bare("good"), bare("good2")),
    "no-edge-fail": (bare("good"), bare("bad")),
    "no-edge-3": (bare("good", replicas=3), bare("good2", replicas=3)),
    "worker": (want(WORKER), want(replace(WORKER, version="good2"))),
    "worker-fails": (want(WORKER), want(replace(WORKER, version="bad"))),
    "fail-data": (want(DB), want(replace(DB, version="bad"))),
    "move": (web("good"), web("good", target=THERE)),
    "move-no-edge": (bare("good"), bare("good", target=THERE)),
    "replaced": (web("good"), want(Res("site", domain="shop.example"))),
    "stop": (docs(), want(replace(WEB, running=False), ST, API, DB, WORKER)),
    "start": (web("good", running=False), web("good")),
    "release-command": (web("good"), web("good2", release_command=True)),
    "build": (web("good"), web("good2", build=True)),
    "build-first": (None, bare("good", build=True, release_command=True)),
    "restart": (docs(), want(replace(WEB, restart_token="again"), ST, API, DB, WORKER)),
}
FAILING = [name for name in SCENES if any(word in name for word in ("fail", "flap", "crash"))]
QUICK = {"first", "fail", "scale", "no-edge-fail"}
EVERYWHERE = [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in SCENES]
"""For what is tried at every pass or action of a scene: a few at once, all of them with the real tests."""


def prepared(name: str) -> tuple[Simulation, Desired]:
    """The world before the change, and what is wanted of it."""
    start, wanted = SCENES[name]
    sim = simulation(*(state for state in (start, wanted) if state is not None))
    if start is not None:
        sim.settle(start)
    sim.steps.clear()
    return sim, wanted


def clean(name: str) -> Simulation:
    """The undisturbed run."""
    sim, wanted = prepared(name)
    return sim.settle(wanted)


@pytest.mark.parametrize("name", SCENES)
def test_ends_and_stays(name: str) -> None:
    """Once settled, nothing more is done, however often one looks and however late."""
    sim, wanted = prepared(name)
    done = len(sim.settle(wanted).steps)
    for _ in range(4):
        sim.model = sim.model.at(sim.model.now + 5000)
        sim.settle(wanted)
    assert len(sim.steps) == done, [str(s.action) for s in sim.steps[done:]]


@pytest.mark.parametrize("name", SCENES)
def test_a_pass_without_change_remembers_nothing_new(name: str) -> None:
    """What a settled pass would write ahead is what is on record already."""
    sim, wanted = prepared(name)
    sim.settle(wanted)
    sim.model = sim.model.at(sim.model.now + 5000)
    before = (dict(sim.progress), dict(sim.inventory), dict(sim.claims))
    for unit in list(sim.plans):
        assert not sim.step(wanted, unit)
    assert (sim.progress, sim.inventory, sim.claims) == before


class Killed(Exception):
    """The daemon died."""


def kill_at(sim: Simulation, count: int, when: str) -> None:
    """Kills the daemon at the ``count``-th action, before or after it is done."""
    seen = iter(range(count + 1))

    def hook(_: Action) -> None:
        if next(seen, None) == count:
            raise Killed

    setattr(sim, f"{when}_action", hook)


def until_settled(sim: Simulation, wanted: Desired) -> None:
    """Runs on; a kill on the way is followed by a new daemon, which remembers no claims."""
    try:
        sim.settle(wanted)
    except Killed:
        sim.before_action = sim.after_action = lambda _: None
        forget(sim, "claims")
        sim.settle(wanted)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_kill_at_any_action_ends_the_same(name: str, when: str) -> None:
    """Same end, same creations and deletions per object, wherever the daemon was killed."""
    base = clean(name)
    for count in range(len(base.steps)):
        sim, wanted = prepared(name)
        kill_at(sim, count, when)
        until_settled(sim, wanted)
        assert end(sim) == end(base), count
        assert writes(sim) == writes(base), (count, writes(sim) - writes(base), writes(base) - writes(sim))


def lose(sim: Simulation, what: str, at: int) -> None:
    """Loses something before the ``at``-th pass from here."""
    start = sim.passes

    def hook(_: object) -> None:
        if sim.passes - start == at:
            forget(sim, what)

    sim.before_pass = hook


@pytest.mark.parametrize("name", EVERYWHERE)
def test_progress_lost_at_any_pass_ends_the_same(name: str) -> None:
    """Lost progress may delay or repeat a rollout; it removes nothing that would have stayed."""
    base = clean(name)
    for at in range(base.passes + 3):
        sim, wanted = prepared(name)
        lose(sim, "progress", at)
        sim.settle(wanted)
        assert up(sim) == up(base), at
        if name not in FAILING:
            assert end(sim) == end(base), at
            assert writes(sim) == writes(base), (at, writes(sim) - writes(base), writes(base) - writes(sim))
        removed = {n for verb, n in writes(sim) if verb == "remove"}
        assert removed <= {n for verb, n in writes(base) if verb == "remove"}, at


@pytest.mark.parametrize("name", EVERYWHERE)
def test_claims_lost_at_any_pass_end_the_same(name: str) -> None:
    """Claims are said again by the next pass of each environment; until then routes stay."""
    base = clean(name)
    for at in range(base.passes + 3):
        sim, wanted = prepared(name)
        lose(sim, "claims", at)
        sim.settle(wanted)
        assert end(sim) == end(base), at
        assert writes(sim) == writes(base), at


@pytest.mark.parametrize("name", EVERYWHERE)
def test_inventory_lost_at_any_pass_removes_nothing_wanted(name: str) -> None:
    """Without its inventory the daemon creates nothing twice and removes nothing that it cannot prove."""
    base = clean(name)
    for at in range(base.passes + 2):
        sim, wanted = prepared(name)
        lose(sim, "inventory", at)
        sim.settle(wanted)
        removed = {n for verb, n in writes(sim) if verb in ("remove", "delete-volume")}
        assert removed <= {n for verb, n in writes(base) if verb in ("remove", "delete-volume")}, at
        assert set(up(base)) <= set(up(sim)), at


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_order_of_units_and_documents_does_not_matter(name: str) -> None:
    """Twelve shuffles of units, workloads, volumes and routes end the same."""
    base = clean(name)
    for seed in range(12):
        rnd = random.Random(seed)
        sim, wanted = prepared(name)
        sim.order = lambda units, rnd=rnd: rnd.sample(units, len(units))  # type: ignore[misc]
        shuffled = {
            part: tuple(rnd.sample(list(getattr(wanted, part)), len(getattr(wanted, part))))
            for part in ("workloads", "volumes", "routes")
        }
        sim.settle(replace(wanted, **shuffled))  # type: ignore[arg-type]
        assert end(sim) == end(base), seed
        assert writes(sim) == writes(base), seed


BLIND = [*(frozenset({c}) for c in Collection), frozenset(Collection)]


@pytest.mark.parametrize("what", BLIND, ids=lambda s: "+".join(sorted(s)))
@pytest.mark.parametrize("name", SCENES)
def test_unknown_never_removes_or_replaces(name: str, what: frozenset[Collection]) -> None:
    """While something cannot be seen nothing goes that it could prove; once it can be, all ends as it should."""
    sim, wanted = prepared(name)
    sim.model = replace(sim.model, blind={HERE: what})
    sim.settle(wanted, horizon=200.0)
    needless = {Collection.JOBS} if wanted.targets[HERE].edge else {Collection.JOBS, Collection.ROUTES}
    if not what <= needless:  # receipts alone stop only what needs one; routes nobody where there is no edge
        destructive = {Verb.REMOVE, Verb.STOP, Verb.CONFIGURE_EDGE, Verb.DELETE_VOLUME}
        assert not [s.action for s in sim.steps if s.action.unit.target == HERE and s.action.verb in destructive]
    sim.model = replace(sim.model, blind={})
    sim.settle(wanted)
    base = clean(name)
    assert end(sim) == end(base)
    assert writes(sim) == writes(base)


@pytest.mark.parametrize(
    "name", ["change", "secret", "scale", "down", "all-at-once", "fail", "flap", "stop-first-3", "move"]
)
def test_serving_is_never_interrupted(name: str) -> None:
    """Every route leads to a healthy instance after every action, but for what cannot but stop first."""
    sim, wanted = prepared(name)
    broken: list[str] = []
    interrupted = {w.key for w in wanted.workloads if w.rollout.stop_first and w.replicas == 1}

    def look(action: Action) -> None:
        for target in sim.model.targets.values():
            for route in target.routes.values():
                if route.resource not in interrupted and not any(
                    n in target.instances and target.instances[n].good for n in route.upstreams
                ):
                    broken.append(f"{route.id} after {action.verb} {action.name}")

    sim.after_action = look
    sim.settle(wanted)
    if name == "flap":  # what flaps while it serves is out of the route one pass later, not before
        broken = [b for b in broken if "remove" in b or "stop" in b]
    assert not broken


@pytest.mark.parametrize("name", SCENES)
def test_lost_replies_double_nothing(name: str) -> None:
    """Every action done twice, as after a lost reply with a stale view, is done once."""
    base = clean(name)
    sim, wanted = prepared(name)
    again: list[Action] = []

    def repeat(action: Action) -> None:
        if action.verb in {Verb.CREATE, Verb.CREATE_VOLUME, Verb.CREATE_JOB, Verb.RESERVE_ADDRESS, Verb.EXPORT_TREE}:
            again.append(action)
            sim.model = sim.model.after(action)

    sim.after_action = repeat
    sim.settle(wanted)
    assert end(sim) == end(base)
    assert len({a.name for a in again}) == len(again)

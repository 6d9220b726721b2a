"""One pass: the order of its writes, what it does not do, and whom it wakes. Planner and driver are stand-ins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.objects import Artifact, Desired, TargetObject, Template, UnitPolicy, Workload
from reconciler.errors import ExistsNotOurs, TransientError, Unreachable
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, server
from reconciler.observed.snapshot import Collection, Instance, State, Target
from reconciler.plan.actions import Action, ApprovalRecord, Claim, Difference, Plan, Progress, Verb, Wait
from reconciler.runtime.backoff import TERMINAL_RETRY
from reconciler.runtime.controller import Controller
from reconciler.runtime.fleet import Fleet
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.rules import Rules
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.world import Board, World
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.published import SourceState
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger

HERE = server("here")
WEB = ResourceKey("Resource", "shop", "web", "production")
READY = (Condition(ConditionType.READY, Truth.TRUE, "Ready", "all is well", 1.0),)


class Stage:
    """A controller whose planner says what the test wants, and a list of everything that reaches the outside."""

    def __init__(self, clock, queue, backoff, unit, *others):
        self.calls, self.plans, self.conditions, self.events = [], {}, {}, []
        self.deployments, self.recorded = (), {}
        self.key, self.seen, self.failing, self.fail_writes = HERE, Target(), {}, set()
        self.clock, self.queue, self.stopped, self.inputs = clock, queue, False, None
        self.during = lambda action: None
        self.differences = ()
        units = (unit, *others)
        desired = Desired(targets={HERE: TargetObject(HERE, "process")}, units=dict.fromkeys(units, UnitPolicy()))
        self.board = Board(World(edition=1, desired=desired, units=units), clock)
        self.fleet = Fleet(lambda _: self, clock=clock, backoff=backoff, width=1, woken=lambda _: None)
        self.fleet.sync(desired.targets)
        self.throttle = Throttle(clock, errors=backoff, repeats=backoff)
        self.controller = Controller(
            self.board,
            fleet=self.fleet,
            ledger=self,
            history=self,
            queue=queue,
            throttle=self.throttle,
            rules=Rules(
                self.plan, lambda desired, inventory, snapshot: list(self.board.read().units), self.judge, self.tell
            ),
            clock=clock,
            metrics=Metrics(),
            stopping=lambda: self.stopped,
        )

    # the pure core
    def plan(self, unit, inputs):
        self.inputs = inputs
        return self.plans.get(unit, Plan(unit))

    def judge(self, unit, inputs, plan, previous):
        return self.conditions

    def tell(self, unit, inputs, plan, outcomes):
        return self.events, self.deployments

    # the driver
    def observe(self):
        if isinstance(self.seen, Exception):
            raise self.seen
        return replace(self.seen, observed_at=self.clock.now())

    def apply(self, action):
        self.calls.append(("apply", action.name))
        self.during(action)
        if action.name in self.failing:
            raise self.failing[action.name]

    def compare(self, workload, instance):
        return self.differences

    def watch(self, changed): ...

    def close(self): ...

    # the ledger
    def _write(self, *call):
        if call[0] in self.fail_writes:
            raise TransientError("ledger: disk full")
        self.calls.append(call)

    def commit_plan(self, unit, *, inventory, progress, approvals=()):
        self._write("commit", inventory, progress, approvals)

    def save_conditions(self, conditions):
        self._write("conditions", conditions)

    def append(self, events):
        self._write("events", events)

    def deployment(self, id):
        return self.recorded.get(id)

    def put_deployment(self, deployment):
        self.recorded[deployment.id] = deployment

    def woken(self):
        found = []
        while (taken := self.queue.get(timeout=0)) is not None:
            self.queue.done(taken)
            found.append(taken)
        return found


@pytest.fixture
def stage(clock, queue, backoff, unit):
    stage = Stage(clock, queue, backoff, unit)
    yield stage
    stage.fleet.close()


def act(unit, *names):
    """A plan that acts, with something to be remembered."""
    return Plan(
        unit,
        actions=tuple(Action(unit, WEB, Verb.CREATE, name) for name in names),
        progress={WEB: Progress("gen", 5.0)},
        inventory={WEB: Entry(WEB, unit)},
    )


def test_what_must_survive_is_written_before_the_first_action(stage, unit):
    """Inventory and progress in one commit, then the calls."""
    stage.plans[unit] = act(unit, "web-0", "web-1")
    stage.controller.run(unit)
    assert [call[0] for call in stage.calls] == ["commit", "apply", "apply"]
    assert stage.calls[0][1:] == ({WEB: Entry(WEB, unit)}, {WEB: Progress("gen", 5.0)}, ())


def test_nothing_is_done_when_the_write_fails(stage, unit):
    """The next pass plans the same again."""
    stage.plans[unit] = act(unit, "web-0")
    stage.fail_writes = {"commit"}
    with pytest.raises(TransientError):
        stage.controller.run(unit)
    assert stage.calls == []
    assert stage.board.read().inventory == {}


def test_a_pass_without_change_writes_nothing_and_is_noticed_by_nobody(stage, clock, unit):
    """No commit, no call, no new serial; the look is fresher all the same, and the next pass is the safety net's."""
    stage.plans[unit] = replace(act(unit), requeue_after=100.0)
    stage.conditions = {WEB: READY}
    stage.controller.run(unit)
    before, serial = list(stage.calls), stage.board.published().serial
    clock.advance(60)
    stage.plans[unit] = replace(act(unit), requeue_after=40.0)
    passed = stage.controller.run(unit)
    assert (stage.calls, stage.board.published().serial) == (before, serial)
    assert stage.board.published().snapshot[HERE].observed_at == clock.now()
    assert (passed.after, passed.error) == (40.0, None)


def test_an_inventory_that_cannot_be_told_stays_as_it_is(stage, unit):
    """Progress is written, the entries on record are left alone."""
    stage.plans[unit] = act(unit)
    stage.controller.run(unit)
    stage.plans[unit] = Plan(unit, progress={})
    stage.controller.run(unit)
    assert stage.calls[-1][:3] == ("commit", None, {})
    assert stage.board.read().inventory == {unit: {WEB: Entry(WEB, unit)}}


def test_a_newer_desired_state_stops_a_running_pass_at_its_next_action(stage, unit):
    """What runs may end; nothing of the old plan begins any more, and the unit runs again at once."""
    stage.plans[unit] = act(unit, "web-0", "web-1", "web-2")
    stage.during = lambda action: stage.board.change(lambda world: replace(world, edition=world.edition + 1))
    passed = stage.controller.run(unit)
    assert [name for verb, name in stage.calls[1:]] == ["web-0"]
    assert (passed.after, passed.trigger) == (0.0, "acted")


def test_a_shutdown_lets_no_further_action_begin(stage, unit):
    """The flag is asked before each."""
    stage.plans[unit] = act(unit, "web-0", "web-1")

    def stop(action):
        stage.stopped = True

    stage.during = stop
    stage.controller.run(unit)
    assert [call[1] for call in stage.calls[1:]] == ["web-0"]


def test_a_hold_stops_a_running_pass(stage, unit):
    """Who holds a unit does not wait for the end of its plan."""
    stage.plans[unit] = act(unit, "web-0", "web-1")
    stage.during = lambda action: stage.board.change(lambda world: replace(world, holds=frozenset({unit})))
    stage.controller.run(unit)
    assert [call[1] for call in stage.calls[1:]] == ["web-0"]


def test_a_route_is_not_written_for_a_claim_that_is_no_longer_the_latest(clock, queue, backoff, unit):
    """Another unit spoke while the furniture acted."""
    stage = Stage(clock, queue, backoff, unit, unit.furniture)
    furniture = unit.furniture
    stage.plans[furniture] = replace(act(furniture, "a", "b"), claims={})
    said = {"shop.example": Claim("shop.example", WEB, unit, frozenset({"web-0"}))}
    stage.during = lambda action: stage.board.change(lambda world: replace(world, claims={**world.claims, unit: said}))
    stage.controller.run(furniture)
    assert [call[1] for call in stage.calls[1:]] == ["a"]


def test_after_acting_the_unit_runs_again_at_once(stage, unit):
    """The next pass sees what came of it."""
    stage.plans[unit] = act(unit, "web-0")
    passed = stage.controller.run(unit)
    assert (passed.after, passed.trigger) == (0.0, "acted")


def test_a_failed_action_waits_while_the_rest_goes_on(stage, clock, unit):
    """One bad call neither stops its neighbours nor is repeated in the next pass; the queue's item tells of it."""
    stage.plans[unit] = act(unit, "bad", "good")
    stage.failing = {"bad": ExistsNotOurs("bad: the name is taken")}
    assert str(stage.controller.run(unit).error) == "bad: the name is taken"
    stage.plans[unit] = act(unit, "bad")
    passed = stage.controller.run(unit)
    assert [call[1] for call in stage.calls[1:]] == ["bad", "good"]
    assert passed.after == 60.0
    clock.advance(TERMINAL_RETRY)
    stage.controller.run(unit)
    assert stage.calls[-1] == ("apply", "bad")


def test_a_target_that_does_not_answer_is_planned_blind_and_tried_after_a_backoff(stage, unit):
    """The plan and the conditions say so; nothing is raised."""
    stage.seen = Unreachable("here: no answer")
    passed = stage.controller.run(unit)
    assert stage.inputs.snapshot[HERE].unknown == frozenset(Collection)
    assert (passed.after, str(passed.error)) == (None, "here: no answer")


def test_differences_of_instances_of_the_wanted_generation_reach_the_planner(stage, unit):
    """Others are not compared: they go anyway."""
    wanted = Workload(WEB, unit, Template(Artifact("tree", "t", "t")), release="r1")
    stage.board.change(lambda world: replace(world, desired=replace(world.desired, workloads=(wanted,))))
    instances = {
        name: Instance(name, "u", WEB, unit, release, "", 0, State.RUNNING)
        for name, release in (("a", "r1"), ("b", "r0"))
    }
    stage.seen = Target(instances=instances)
    stage.differences = (Difference("settings.x", "1", "2"),)
    stage.controller.run(unit)
    assert dict(stage.inputs.differences) == {"a": stage.differences}


def test_conditions_are_written_only_when_they_change_and_events_when_there_are_some(stage, unit):
    """History has no line without news."""
    stage.conditions, stage.events = {WEB: READY}, [Event(1.0, "deployment-started", "web")]
    stage.controller.run(unit)
    stage.events = []
    stage.controller.run(unit)
    assert [call[0] for call in stage.calls] == ["events", "conditions"]


def test_a_condition_that_changes_wakes_who_depends_on_it(clock, queue, backoff, unit, other):
    """Across units, whatever their targets."""
    stage = Stage(clock, queue, backoff, unit, other)
    template = Template(Artifact("tree", "t", "t"))
    api = ResourceKey("Resource", "shop", "api", "staging")
    workloads = (Workload(WEB, unit, template, "r"), Workload(api, other, template, "r", depends_on=(WEB,)))
    stage.board.change(lambda world: replace(world, desired=replace(world.desired, workloads=workloads)))
    stage.controller.run(unit)
    assert stage.woken() == []
    stage.conditions = {WEB: READY}
    stage.controller.run(unit)
    assert stage.woken() == [other]


def test_a_changed_claim_wakes_the_furniture_and_its_neighbours(clock, queue, backoff, unit, other):
    """Once, not with every pass."""
    stage = Stage(clock, queue, backoff, unit, other, unit.furniture)
    stage.plans[unit] = Plan(unit, claims={"a": Claim("a", WEB, unit, None)})
    stage.controller.run(unit)
    assert set(stage.woken()) == {unit.furniture, other}
    stage.controller.run(unit)
    assert stage.woken() == []


def test_something_new_on_a_target_wakes_who_waits_there(clock, queue, backoff, unit, other):
    """And nobody who does not wait."""
    stage = Stage(clock, queue, backoff, unit, other, unit.furniture)
    stage.plans[other] = Plan(other, waits=(Wait(WEB, "the route"),))
    for each in (other, unit.furniture, unit):
        stage.controller.run(each)
    stage.woken()
    clock.advance(1)
    stage.seen = Target(artifacts=frozenset({"tree"}))
    stage.controller.run(unit)
    assert stage.woken() == [other]


def test_records_of_an_approval_are_merged(stage, unit, other):
    """What another unit used meanwhile stays used."""
    record = ApprovalRecord("empty", "g", "accepted", units=frozenset({unit, other}), used=frozenset({other}))
    stage.board.change(lambda world: replace(world, approvals={"empty": record}))
    stage.plans[unit] = Plan(unit, approvals=(replace(record, used=frozenset({unit})),))
    stage.controller.run(unit)
    assert stage.board.read().approvals["empty"].used == {unit, other}


def test_a_revision_counts_as_applied_when_every_unit_has_settled_on_it(stage, unit):
    """Not while something waits."""
    stage.save_applied = lambda source, revision: stage.calls.append(("applied", source, revision))
    stage.board.change(
        lambda world: replace(
            world,
            sources={"main": SourceState("main", "git", "/srv/repo", seen="abc")},
            desired=replace(world.desired, revisions={"main": "abc"}),
        )
    )
    stage.plans[unit] = Plan(unit, waits=(Wait(WEB, "health"),))
    stage.controller.run(unit)
    assert stage.calls == []
    stage.plans[unit] = Plan(unit)
    stage.controller.run(unit)
    stage.controller.run(unit)
    assert stage.calls == [("applied", "main", "abc")]
    assert stage.board.published().sources["main"].applied == "abc"


def test_what_is_on_record_of_a_deployment_stays_when_it_ends(stage, unit):
    """It ended under a later revision, which does not make it one of that revision."""
    began = Deployment(
        "d1", WEB, unit, "g", "r", "rev1", Trigger.CREATE, DeploymentStatus.RUNNING, 1.0, snapshot={"a": 1}
    )
    stage.deployments = (began,)
    stage.controller.run(unit)
    ended = replace(began, revision="rev2", status=DeploymentStatus.CANCELED, finished_at=2.0, snapshot={})
    stage.deployments = (replace(ended, message="superseded"),)
    stage.controller.run(unit)
    wanted = replace(began, status=DeploymentStatus.CANCELED, finished_at=2.0, message="superseded")
    assert stage.recorded == {"d1": wanted}

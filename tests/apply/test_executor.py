"""The executor over a driver that records: it walks, it stops when told, it never raises."""

from __future__ import annotations

import threading

import pytest

from reconciler.apply.executor import Executor
from reconciler.errors import Conflict
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.plan.actions import Action, Verb

UNIT = UnitKey(server("here"), "shop", "production")


def action(name):
    return Action(UNIT, ResourceKey("Resource", "shop", name, "production"), Verb.START, name)


class Recording:
    """A driver that fails where it is told to."""

    def __init__(self, failing=()):
        self.key = UNIT.target
        self.failing = dict(failing)
        self.applied = []

    def apply(self, action):
        self.applied.append(action.name)
        if action.name in self.failing:
            raise self.failing[action.name]


class Clock:
    def now(self):
        return 5.0

    def monotonic(self):
        return 5.0


@pytest.fixture
def walk():
    executors = []

    def run(driver, actions, may_continue=lambda: True, width=1):
        executors.append(Executor(driver, Clock(), width=width))
        return executors[-1].execute(actions, may_continue)

    yield run
    for executor in executors:
        executor.close()


def test_every_action_runs_and_outcomes_keep_the_plans_order(walk):
    """What comes back can be read beside the plan."""
    outcomes = walk(Recording(), [action("b"), action("a")], width=4)
    assert [(o.action.name, o.ok, o.started, o.finished) for o in outcomes] == [("b", True, 5, 5), ("a", True, 5, 5)]


def test_one_failure_stops_none_of_its_neighbours(walk):
    """Neither an error from the tree nor a defect of an adapter ends the walk."""
    driver = Recording({"a": Conflict("a: changed"), "b": ZeroDivisionError("bug")})
    outcomes = walk(driver, [action("a"), action("b"), action("c")])
    assert [o.ok for o in outcomes] == [False, False, True]
    assert [str(o.error) for o in outcomes[:2]] == ["a: changed", "bug"]


def test_it_asks_before_each_action_and_begins_none_after_a_no(walk):
    """A newer revision, a shutdown or a lost lease leaves at most what runs already."""
    driver = Recording()
    outcomes = walk(driver, [action("a"), action("b"), action("c")], may_continue=lambda: len(driver.applied) < 2)
    assert driver.applied == ["a", "b"]
    assert [o.action.name for o in outcomes] == ["a", "b"]


def test_no_more_than_the_budget_run_at_once(walk):
    """The width bounds one target's calls."""
    gate, seen, running = threading.Semaphore(0), [], []

    class Slow(Recording):
        def apply(self, action):
            running.append(action.name)
            seen.append(len(running))
            gate.acquire(timeout=0.05)
            running.remove(action.name)

    walk(Slow(), [action(str(n)) for n in range(6)], width=2)
    assert max(seen) == 2

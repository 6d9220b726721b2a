"""What waits although the planner would take it now."""

from __future__ import annotations

import pytest

from reconciler.errors import ExistsNotOurs, Unreachable
from reconciler.manifests.identity import ResourceKey
from reconciler.plan.actions import Action, Verb
from reconciler.runtime.backoff import TERMINAL_RETRY, Backoff
from reconciler.runtime.throttle import Throttle


@pytest.fixture
def throttle(clock):
    return Throttle(clock, errors=Backoff(random=lambda: 1.0), repeats=Backoff(random=lambda: 1.0, base=0.25, cap=60.0))


@pytest.fixture
def start(unit):
    return Action(unit, ResourceKey("Resource", "shop", "web", "production"), Verb.START, "web-0")


@pytest.fixture
def stop(unit):
    return Action(unit, ResourceKey("Resource", "shop", "old", "production"), Verb.STOP, "old-0")


def test_a_failed_action_waits_and_its_neighbours_do_not(throttle, clock, unit, start, stop):
    """One refused call is tried again after its backoff, the rest of the unit goes on."""
    throttle.record(start, Unreachable("here: no answer"))
    assert throttle.allowed(unit, [start, stop]) == (stop,)
    assert throttle.due_in(unit) == 1.0
    clock.advance(1)
    assert throttle.allowed(unit, [start, stop]) == (start, stop)


def test_a_terminal_failure_waits_until_an_input_changes(throttle, clock, unit, start):
    """Half an hour, or at once after a clear."""
    throttle.record(start, ExistsNotOurs("web-0: the name is taken"))
    clock.advance(TERMINAL_RETRY - 1)
    assert throttle.allowed(unit, [start]) == ()
    throttle.clear(unit)
    assert throttle.allowed(unit, [start]) == (start,)


def test_an_action_that_succeeds_again_and_again_waits_longer_each_time(throttle, clock, unit, start):
    """Something undoes it: no hot loop."""
    waits = []
    for _ in range(4):
        throttle.record(start, None)
        waits.append(throttle.due_in(unit))
        clock.advance(waits[-1])
    assert waits == [0.25, 0.5, 1.0, 2.0]


def test_what_the_plan_wants_no_more_is_forgotten(throttle, unit, start):
    """A later failure of the same action starts over."""
    throttle.record(start, Unreachable("x"))
    throttle.allowed(unit, [])
    assert (throttle.allowed(unit, [start]), throttle.failure(unit)) == ((start,), None)


def test_the_failure_that_waits_is_told(throttle, unit, start, stop):
    """For the queue's item."""
    throttle.record(stop, None)
    throttle.record(start, Unreachable("here: no answer"))
    assert str(throttle.failure(unit)) == "here: no answer"


def test_very_many_acting_passes_in_a_row_are_slowed_down(throttle, unit):
    """Two parties that undo each other's work with different actions are no hot loop either; a quiet pass ends it."""
    paces = [throttle.pace(unit, acted=True) for _ in range(32)]
    assert (paces[0], paces[28], paces[-1] > paces[-2] > 0) == (0.0, 0.0, True)
    throttle.pace(unit, acted=False)
    assert throttle.pace(unit, acted=True) == 0.0

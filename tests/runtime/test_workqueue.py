"""The queue's semantics, one by one, and over random histories."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InvalidInput, Unreachable
from reconciler.manifests.identity import UnitKey, server
from reconciler.runtime.backoff import TERMINAL_RETRY, Backoff
from reconciler.runtime.workqueue import WorkQueue


def take(queue):
    return queue.get(timeout=0)


def test_a_unit_added_twice_runs_once(queue, unit):
    """Triggers are coalesced while a unit waits."""
    queue.add(unit, "timer")
    queue.add(unit, "watch")
    assert take(queue) == unit
    queue.done(unit)
    assert take(queue) is None


def test_a_unit_added_while_it_runs_runs_again_afterwards(queue, unit):
    """Never beside itself, and never forgotten."""
    queue.add(unit, "timer")
    take(queue)
    queue.add(unit, "watch")
    assert take(queue) is None
    queue.done(unit)
    assert take(queue) == unit


def test_units_are_handed_out_in_the_order_they_came(queue, unit, other):
    """Nobody overtakes."""
    queue.add(other, "x")
    queue.add(unit, "x")
    assert [take(queue), take(queue)] == [other, unit]


def test_a_delayed_add_comes_when_its_time_has(queue, clock, unit):
    """Not a moment earlier."""
    queue.add_after(unit, 5, "rollout")
    clock.advance(4.9)
    assert take(queue) is None
    clock.advance(0.2)
    assert take(queue) == unit


def test_of_several_delayed_adds_the_earliest_counts_and_runs_once(queue, clock, unit):
    """A later one does not put it off, and does not run it a second time."""
    for delay in (9, 3, 6):
        queue.add_after(unit, delay, "x")
    clock.advance(3)
    assert take(queue) == unit
    queue.done(unit)
    clock.advance(60)
    assert take(queue) is None


def test_taking_a_unit_forgets_its_delayed_adds(queue, clock, unit):
    """The pass itself says when the next is due."""
    queue.add_after(unit, 5, "x")
    queue.add(unit, "now")
    take(queue)
    queue.done(unit, after=60)
    clock.advance(10)
    assert take(queue) is None


def test_failures_in_a_row_wait_longer_and_a_success_starts_over(queue, clock, unit):
    """1, 2 seconds; after a success 1 again."""
    waits = []
    queue.add(unit, "x")
    for error in (Unreachable("a"), Unreachable("b"), None, Unreachable("c")):
        take(queue)
        queue.done(unit, error=error, after=None if error else 0)
        waits.append(queue.items()[0].due_at - clock.now())
        clock.advance(100)
    assert waits == [1, 2, 0, 1]


def test_a_terminal_failure_waits_half_an_hour_but_a_changed_input_runs_at_once(queue, clock, unit):
    """The wait bounds retries, not reactions."""
    queue.add(unit, "x")
    take(queue)
    queue.done(unit, error=InvalidInput("bad"))
    clock.advance(TERMINAL_RETRY - 1)
    assert take(queue) is None
    queue.add(unit, "revision")
    assert take(queue) == unit


def test_items_tell_status_attempts_trigger_and_error(queue, clock, unit, other):
    """What /work shows."""
    queue.add(unit, "start-up")
    queue.add(other, "watch")
    take(queue)
    queue.done(unit, error=Unreachable("here: no answer"))
    take(queue)
    failed, running = queue.items()
    assert (failed.status, failed.attempts, failed.error) == ("retry-scheduled", 1, "here: no answer")
    assert failed.due_at == clock.now() + 1
    assert (running.status, running.trigger) == ("running", "watch")


def test_an_item_pending_by_time_becomes_pending_with_its_trigger(queue, clock, unit):
    """A timed wait that ended shows as waiting for a worker."""
    queue.add_after(unit, 1, "requeue")
    clock.advance(1)
    assert queue.depth() == 1
    assert (queue.items()[0].status, queue.items()[0].trigger) == ("pending", "requeue")


def test_a_stopped_queue_hands_out_nothing_and_drains(queue, unit, other):
    """What runs ends; nothing new begins."""
    queue.add(unit, "x")
    take(queue)
    queue.add(other, "x")
    queue.stop()
    assert take(queue) is None
    assert not queue.drain(0)
    queue.done(unit)
    assert queue.drain(0)


def test_whoever_waits_is_woken_by_a_stop(queue):
    """A worker does not outlive the daemon."""
    got = []
    worker = threading.Thread(target=lambda: got.append(queue.get()))
    worker.start()
    queue.stop()
    worker.join(10)
    assert got == [None]


def test_only_the_safety_net_due_means_idle(queue, clock, unit):
    """A timed wait of a rollout is work still to come; the resync is not."""
    queue.add(unit, "x")
    assert not queue.idle()
    take(queue)
    assert not queue.idle()
    queue.done(unit, after=60)
    assert queue.idle()
    queue.add_after(unit, 5, "rollout")
    assert not queue.idle()


def test_a_forgotten_unit_is_shown_no_more_and_never_runs(queue, clock, unit):
    """A unit that exists no more leaves the queue."""
    queue.add(unit, "x")
    take(queue)
    queue.done(unit, after=5)
    queue.forget(unit)
    clock.advance(6)
    assert (take(queue), queue.items()) == (None, ())


UNITS = [UnitKey(server("here"), "shop", name) for name in "abc"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(UNITS)),
        st.tuples(st.just("later"), st.sampled_from(UNITS)),
        st.tuples(st.just("take"), st.none()),
        st.tuples(st.just("done"), st.none()),
        st.tuples(st.just("fail"), st.none()),
        st.tuples(st.just("time"), st.none()),
    ),
    max_size=60,
)


@given(STEPS)
def test_in_any_history_no_unit_runs_beside_itself_and_every_add_is_followed_by_a_run(steps):
    """The two promises that everything above the queue rests on."""
    clock = _Clock()
    queue = WorkQueue(clock, Backoff(random=lambda: 1.0))
    running, owed = [], set()
    for word, unit in steps:
        if word == "add":
            queue.add(unit, "x")
            owed.add(unit)
        elif word == "later":
            queue.add_after(unit, 2, "x")
        elif word == "take" and (taken := take(queue)) is not None:
            assert taken not in running
            running.append(taken)
            owed.discard(taken)
        elif word in {"done", "fail"} and running:
            queue.done(running.pop(0), error=Unreachable("x") if word == "fail" else None)
        elif word == "time":
            clock.time += 1
    for unit in running:
        queue.done(unit)
    while (taken := take(queue)) is not None:
        owed.discard(taken)
        queue.done(taken)
    assert not owed


class _Clock:
    time = 0.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.time

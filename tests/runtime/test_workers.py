"""The threads: what a worker makes of a pass, and when the sources are looked at again."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from reconciler.errors import TransientError
from reconciler.runtime.controller import Passed
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.workers import Looker, Workers


class Script:
    """A controller that does what it is told, pass after pass."""

    def __init__(self, *results):
        self.results = list(results)

    def run(self, unit):
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def run(queue, clock, unit, result):
    metrics = Metrics()
    queue.add(unit, "x")
    queue.get(timeout=0)
    Workers(queue, Script(result), count=1, metrics=metrics, clock=clock).run_pass(unit)
    return queue.items()[0], metrics.registry.get_sample_value


def test_a_pass_says_when_its_unit_is_due_again(queue, clock, unit):
    """In its own words."""
    item, value = run(queue, clock, unit, Passed(7.0, "requeue"))
    assert (item.status, item.due_at) == ("succeeded", clock.now() + 7)
    assert value("reconciler_passes_total", {"result": "ok"}) == 1


def test_an_expected_error_is_told_in_a_line_and_backs_off(queue, clock, unit):
    """Where it was raised says nothing to anybody."""
    with capture_logs() as lines:
        item, value = run(queue, clock, unit, TransientError("ledger: disk full"))
    assert (item.status, item.error) == ("retry-scheduled", "ledger: disk full")
    assert [(line["event"], line["exc_info"]) for line in lines] == [("pass failed", False)]
    assert value("reconciler_passes_total", {"result": "failed"}) == 1


def test_a_defect_is_loud_and_backs_off_as_well(queue, clock, unit):
    """With its traceback, and the worker lives on."""
    with capture_logs() as lines:
        item, _ = run(queue, clock, unit, KeyError("bug"))
    assert item.due_at == clock.now() + 1
    assert lines[0]["exc_info"] is True


def test_workers_run_what_is_queued_and_end_with_the_queue(queue, clock, unit, other):
    """Each unit once."""
    ran, both = [], threading.Event()

    class Controller:
        def run(self, unit):
            ran.append(unit)
            if len(ran) == 2:
                both.set()
            return Passed(None, "")

    workers = Workers(queue, Controller(), count=2, metrics=Metrics(), clock=clock)
    queue.add(unit, "x")
    queue.add(other, "x")
    workers.start()
    assert both.wait(30)
    queue.stop()
    assert queue.drain(30)
    assert set(ran) == {unit, other}


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        ([True, True], [60, 60]),
        ([False, False, False], [1, 2, 4]),
        ([TransientError("x"), KeyError("y"), True], [1, 2, 60]),
    ],
)
def test_a_look_that_failed_is_repeated_sooner_and_less_and_less_often(backoff, outcome, waits):
    """Never later than the interval."""
    script = list(outcome)

    def refresh(trigger):
        result = script.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    looker = Looker(refresh, interval=60, backoff=backoff)
    with capture_logs():
        assert [looker.look() for _ in waits] == waits


def test_a_looker_says_why_it_looks_and_is_woken_at_once(backoff):
    """Start-up first, then who woke it, else the timer."""
    seen, looked = [], threading.Semaphore(0)

    def refresh(trigger):
        seen.append(trigger)
        looked.release()
        return True

    looker = Looker(refresh, interval=3600, backoff=backoff)
    looker.start()
    assert looked.acquire(timeout=30)
    looker.wake("watch")
    assert looked.acquire(timeout=30)
    assert looker.stop(30)
    assert seen[:2] == ["start-up", "watch"]
    assert looker.look() == 3600

"""A daemon that is killed at any step: the next one finishes, and nothing ever runs twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.errors import TransientError
from reconciler.observed.snapshot import JobState
from tests.drivers.process.bench import Bench, alive
from tests.drivers.process.scenarios import ENDS, SCENARIOS, STARTS, steps_of

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[3]
SECOND_START = 0.3  # seconds in which a second process would have shown itself


def die_at(root: Path, scenario: str, step: str) -> None:
    command = [sys.executable, "-m", "tests.drivers.process.scenarios", str(root), scenario, step]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False)
    assert ended.returncode == -signal.SIGKILL, f"{step} was never reached"


def finish(root: Path, scenario: str) -> Bench:
    bench = Bench(root)
    bench.driver = bench.another(watch=True)
    bench.until(lambda: played(bench, scenario))
    bench.until(lambda: len(bench.started()) >= STARTS[scenario])
    time.sleep(SECOND_START)
    return bench


def played(bench: Bench, scenario: str) -> bool:
    """As a daemon does it: what is only so for now, such as a shim that was just left alone, is looked at again."""
    try:
        SCENARIOS[scenario](bench)
    except TransientError:
        return False
    return True


def at_every_step(place: Path, scenario: str):
    rehearsal = Bench(place / "rehearsal" / "state")
    steps = list(dict.fromkeys(steps_of(scenario, rehearsal)))
    rehearsal.clean()
    assert len(steps) > 4
    for number, step in enumerate(steps):
        root = place / str(number) / "state"
        die_at(root, scenario, step)
        bench = finish(root, scenario)
        try:
            yield step, bench
        finally:
            bench.clean()


@pytest.mark.parametrize("scenario", ENDS)
def test_instances_survive_a_kill_at_every_step(place, scenario):
    """The same end as in a clean run, after exactly as many starts."""
    for step, bench in at_every_step(place, scenario):
        states = [instance.state for instance in bench.driver.observe().instances.values()]
        assert states == [ENDS[scenario]] * (ENDS[scenario] is not None), step
        assert len(bench.started()) == STARTS[scenario], step
        assert [alive(pid) for pid in bench.started()[-1:]] == [states == ["running"]], step
        assert list((bench.root / "tmp").iterdir()) == [], step


def test_a_job_runs_once_whatever_dies(place):
    """Its command ran exactly once, and its exit code is known."""
    for step, bench in at_every_step(place, "job"):
        bench.until(lambda b=bench: b.driver.observe().jobs["job"].state is not JobState.RUNNING)
        assert bench.driver.observe().jobs["job"].state is JobState.SUCCEEDED, step
        assert len(bench.started()) == 1, step

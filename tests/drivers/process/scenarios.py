"""Rollouts in small, as a daemon does them: look, do the next missing thing, look again. Also a program of its own:

``python -m tests.drivers.process.scenarios ROOT SCENARIO STEP`` plays one and kills itself at a step.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from reconciler.observed.snapshot import JobState, State
from reconciler.plan.actions import InstanceSpec, JobSpec, Verb
from tests.drivers.process.bench import Bench, python

APPEND = "import os; open(os.environ['RUNS'], 'a').write(f'{os.getpid()}\\n')"


def create(bench: Bench) -> None:
    """An exported tree and one running instance."""
    workload = bench.workload()
    if bench.tree.id not in bench.driver.observe().artifacts:
        bench.act(Verb.EXPORT_TREE, bench.tree.id, bench.tree)
    bench.act(Verb.CREATE, "web-0", InstanceSpec(workload, 0))


def begin(bench: Bench) -> None:
    """It runs, and has said so."""
    if not bench.started():
        create(bench)
        bench.until(lambda: bool(bench.started()))


def stop(bench: Bench) -> None:
    """It ran, and is stopped."""
    begin(bench)
    bench.act(Verb.STOP, "web-0", expects=bench.seen().uid)


def restart(bench: Bench) -> None:
    """It ran, was stopped, and runs again."""
    stopped = bench.root.parent / "stopped"
    if not stopped.exists():
        stop(bench)
        stopped.touch()
    bench.act(Verb.START, "web-0", expects=bench.seen().uid)


def remove(bench: Bench) -> None:
    """It ran, and is gone."""
    begin(bench)
    if "web-0" in bench.driver.observe().instances:
        bench.act(Verb.REMOVE, "web-0", expects=bench.seen().uid)


def job(bench: Bench) -> None:
    """A command ran to its end."""
    if bench.tree.id not in bench.driver.observe().artifacts:
        bench.act(Verb.EXPORT_TREE, bench.tree.id, bench.tree)
    if "job" not in bench.driver.observe().jobs:
        bench.act(Verb.CREATE_JOB, "job", JobSpec("release", bench.workload(), "slot", (python(APPEND),), 60.0))
    found = bench.driver.observe().jobs["job"]
    if found.state is JobState.CREATED:
        bench.act(Verb.START_JOB, "job", expects=found.uid)


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "create": create, "stop": stop, "restart": restart, "remove": remove, "job": job,
}  # fmt: skip

ENDS = {"create": State.RUNNING, "stop": State.STOPPED, "restart": State.RUNNING, "remove": None}
STARTS = {"create": 1, "stop": 1, "restart": 2, "remove": 1, "job": 1}


def steps_of(scenario: str, bench: Bench) -> list[str]:
    """What a clean run passes through, in order."""
    passed: list[str] = []
    bench.driver = bench.another(steps=passed.append)
    SCENARIOS[scenario](bench)
    return passed


def main(root: str, scenario: str, fatal: str) -> None:
    def die(step: str) -> None:
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    bench = Bench(Path(root))
    bench.driver = bench.another(steps=die, watch=True)
    SCENARIOS[scenario](bench)


if __name__ == "__main__":
    main(*sys.argv[1:])

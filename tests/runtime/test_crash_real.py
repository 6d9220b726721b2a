"""The daemon is killed at its calls to the world, in the middle of a rollout: the next one ends what it began, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.ports import quiet_port
from tests.runtime.house import BASE

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("api", "mail", "web")
WATCHED = ("commit_plan", "save_declared", "save_conditions", "save_applied", "append", "put_deployment")

ONCE = f"""
import functools, itertools, os, pathlib, signal, sys
from reconciler import bootstrap
from reconciler.store.ledger import Ledger

fatal, calls = int(sys.argv[2]), itertools.count(1)
trace = open(sys.argv[3], "a", buffering=1)

def step(name):
    print(name, file=trace)
    if next(calls) == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(name):
    inner = getattr(Ledger, name)
    def call(*args, **kwargs):
        step(f"before ledger {{name}}")
        inner(*args, **kwargs)
        step(f"after ledger {{name}}")
    setattr(Ledger, name, call)

for name in {WATCHED!r}:
    watched(name)
bootstrap.ProcessDriver = functools.partial(bootstrap.ProcessDriver, steps=step)
report = bootstrap.run_once(pathlib.Path(sys.argv[1]), timeout=90)
print("\\n".join(report.lines))
sys.exit(0 if report.converged else 2)
"""
PROGRAM = """
import http.server, os, pathlib, signal, sys
with open(pathlib.Path(os.environ["DATA"], "said"), "a") as said:
    print(sys.argv[1], os.environ["GREETING"], file=said)
if sys.argv[1] == "start":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
RESOURCE = """
apiVersion: reconciler.dev/v1alpha1
kind: Resource
metadata: {{name: {name}, project: shop}}
spec:
  source: {{kind: local-folder, path: app}}
  command: [{python}, program.py, start]
  ports: {{http: 8000}}
  health: {{http: {{path: /}}}}
  variables: {{GREETING: {greeting}}}
  storage: {{/data: {{volume: {name}, env: DATA}}}}
  deploy: {{{release}}}
"""


def alive(pid):
    """A zombie is dead, whoever has not waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class House:
    """Three resources, one of them with a release command, and a daemon that runs one convergence at a time."""

    def __init__(self, root):
        self.root, self.source, self.state, self.trace = root, root / "src", root / "state", root / "trace"
        (self.source / "app").mkdir(parents=True)
        (self.source / "app" / "program.py").write_text(PROGRAM)
        first = quiet_port() // 200 * 200
        (self.source / "base.yaml").write_text(BASE.format(first=first, last=first + 199))
        (root / "config.yaml").write_text(
            f"instanceId: test\nstateDir: {self.state}\nsource: {{directory: {{path: {self.source}}}}}\n"
            "limits: {workers: 1, actionsPerTarget: 1}\n"
        )

    def declare(self, greeting):
        for name in NAMES:
            release = f"release: {{command: [{sys.executable}, program.py, release]}}" if name == "web" else ""
            text = RESOURCE.format(name=name, python=sys.executable, greeting=greeting, release=release)
            (self.source / f"{name}.yaml").write_text(text)

    def converge(self, fatal=0):
        self.trace.write_text("")
        command = [sys.executable, "-c", ONCE, str(self.root / "config.yaml"), str(fatal), str(self.trace)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, check=False)

    def said(self, greeting):
        """What the programs of one generation did, by resource: how often each started, how often it was released."""
        lines = (
            (path.parent.name.split("-")[0], line.split())
            for path in self.state.glob("servers/here/volumes/**/said")
            for line in path.read_text().splitlines()
        )
        return Counter((name, verb) for name, (verb, word) in lines if word == greeting)

    def running(self):
        records = (json.loads(path.read_text()) for path in self.state.glob("servers/here/instances/*/run.json"))
        return [run["pid"] for run in records if alive(run["pid"])]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    for pid in house.running():
        os.kill(pid, signal.SIGKILL)


def test_a_kill_at_any_call_changes_neither_the_end_nor_the_counts(house):
    """Each kind of call once, the first time that it is made: everything starts once, the release command runs once."""
    house.declare("v0")
    assert house.converge().returncode == 0
    house.declare("clean")
    assert house.converge().returncode == 0
    calls, once = house.trace.read_text().splitlines(), house.said("clean")
    assert sum(once.values()) == len(NAMES) + 1
    first = [calls.index(call) + 1 for call in dict.fromkeys(calls)]
    every = os.environ.get("EVERY_CALL")
    points = range(int(every), len(calls) + 1) if every else first
    for point in points:
        greeting = f"v{point}"
        house.declare(greeting)
        killed = house.converge(fatal=point)
        assert killed.returncode == -signal.SIGKILL, (point, killed.stderr)
        after = house.converge()
        assert after.returncode == 0, (point, calls[point - 1], after.stdout, after.stderr)
        assert house.said(greeting) == once, (point, calls[point - 1], after.stderr)
        assert len(house.running()) == len(NAMES), (point, calls[point - 1])


def test_a_lost_ledger_creates_removes_and_repeats_nothing(house):
    """What runs is found by its marks, and what ran once by its receipt."""
    house.declare("v0")
    assert house.converge().returncode == 0
    before, pids = house.said("v0"), house.running()
    for path in house.state.glob("ledger.db*"):
        path.unlink()
    after = house.converge()
    assert after.returncode == 0, after.stdout
    assert "action done" not in after.stderr
    assert (house.said("v0"), house.running()) == (before, pids)


def test_a_progress_that_was_lost_with_the_ledger_in_mid_rollout_ends_the_same(house):
    """The rollout goes on from what is there; the release command does not run a second time."""
    house.declare("v0")
    assert house.converge().returncode == 0
    house.declare("clean")
    assert house.converge().returncode == 0
    calls, once = house.trace.read_text().splitlines(), house.said("clean")
    house.declare("v1")
    assert house.converge(fatal=calls.index("start-job:started") + 1).returncode == -signal.SIGKILL
    for path in house.state.glob("ledger.db*"):
        path.unlink()
    after = house.converge()
    assert after.returncode == 0, after.stdout
    assert house.said("v1") == once

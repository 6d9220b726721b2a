"""A process driver on a state root of its own, programs to run on it, and a way to wait."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.objects import Artifact, Plain, Port, Probe, SecretRef, Template, Tree, Value, Workload
from reconciler.drivers.process import ending, proc
from reconciler.drivers.process.driver import ProcessDriver
from reconciler.drivers.process.layout import RUN
from reconciler.drivers.process.record import Reader, RunRecord
from reconciler.drivers.process.render import SYSTEM_PATH
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.observed.snapshot import Instance, Job
from reconciler.plan.actions import Action, InstanceSpec, JobSpec, Payload, Verb

HERE = server("here")
UNIT = UnitKey(HERE, "shop", "production")
KEY = ResourceKey("Resource", "shop", "web", "production")
GUARD = 30.0  # seconds; only ever reached by a test that fails
ME = "this-daemon"

SLEEPER = """
import os, signal, time
with open(os.environ['RUNS'], 'a') as runs:
    runs.write(f'{os.getpid()}\\n')
while True:
    time.sleep(60)
"""
"""Writes its pid to the file RUNS each time that it starts, and stays."""


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class Blobs:
    """What was put in, by git's id."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        name = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.held[name] = data
        return name

    def read(self, source: str, blobs: Iterable[str]) -> Mapping[str, bytes]:
        return {name: self.held[name] for name in blobs}


@dataclass(frozen=True)
class Veiled:
    value: bytes

    def reveal(self) -> bytes:
        return self.value


@dataclass
class Secrets:
    """Values by location; ``asked`` is what was resolved."""

    values: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def resolve(self, reference: SecretRef) -> Veiled:
        self.asked.append(reference.location)
        return Veiled(self.values[reference.location])

    def digests(self, reference: SecretRef) -> tuple[str, ...]:
        return (f"key:{reference.location}",)


def python(source: str, interpreter: str = sys.executable) -> tuple[str, ...]:
    """A command that runs a Python program without a site."""
    return (interpreter, "-I", "-S", "-c", source)


def anybodys_python(source: str) -> tuple[str, ...]:
    """The same with an interpreter that every user may run; the tests' own may lie in somebody's home."""
    if shutil.which("python3", path=SYSTEM_PATH) is None:
        pytest.skip(f"no python3 on {SYSTEM_PATH}")
    return python(source, "python3")


class Bench:
    """Every driver that it gives out works on the same root; ``clean`` ends all that runs there."""

    unit = UNIT

    def __init__(self, root: Path) -> None:
        self.root, self.blobs, self.secrets = root, Blobs(), Secrets()
        self.runs = root.parent / "runs"
        self.changes = 0
        self._given: list[ProcessDriver] = []
        self.tree = self.tree_of({"hello.txt": b"hello"})
        self.driver = self.another()

    def another(self, *, watch: bool = False, **options: Any) -> ProcessDriver:
        """A driver as a daemon that starts anew would make it."""
        defaults: dict[str, Any] = {"instance_id": ME, "jitter": lambda: 0.0, "port_range": (24000, 24999)}
        made = ProcessDriver(
            HERE, root=self.root, blobs=self.blobs, secrets=self.secrets, clock=SystemClock(), **(defaults | options)
        )
        self._given.append(made)
        if watch:
            made.watch(self.count_change)
        return made

    def count_change(self) -> None:
        self.changes += 1

    def tree_of(self, files: Mapping[str, bytes], executable: Iterable[str] = ()) -> Tree:
        names = tuple((path, self.blobs.put(data), path in executable) for path, data in sorted(files.items()))
        return Tree(hashlib.sha256(repr(names).encode()).hexdigest(), "source", names)

    def workload(
        self, name: str = "web", *, source: str = SLEEPER, env: Mapping[str, Value | str] | None = None,
        settings: Mapping[str, str] | None = None, release: str = "a" * 64, **template: Any,
    ) -> Workload:  # fmt: skip
        values = {"RUNS": str(self.runs), **(env or {})}
        variables = tuple((n, Plain(v) if isinstance(v, str) else v) for n, v in values.items())
        made: dict[str, Any] = {
            "artifact": Artifact("tree", self.tree.id, self.tree.id),
            "command": python(source),
            "env": variables,
        }
        timings = {"stopTimeout": "5", "probe.interval": "0.2", "probe.startPeriod": "0", **(settings or {})}
        key = replace(KEY, name=name)
        return Workload(key, UNIT, Template(**(made | {"probe": ALWAYS} | template)), release, settings=timings)

    def act(
        self, verb: Verb, name: str, payload: Payload = None, *, expects: str = "", key: ResourceKey = KEY,
        driver: ProcessDriver | None = None,
    ) -> None:  # fmt: skip
        (driver or self.driver).apply(Action(UNIT, key, verb, name, payload=payload, expects=expects))

    def create(self, workload: Workload, name: str = "web-0", **spec: Any) -> Instance:
        self.act(Verb.EXPORT_TREE, self.tree.id, self.tree)
        self.act(Verb.CREATE, name, InstanceSpec(workload, 0, **spec), key=workload.key)
        return self.seen(name)

    def create_job(self, workload: Workload, *commands: tuple[str, ...], name: str = "job", **spec: Any) -> Job:
        self.act(Verb.EXPORT_TREE, self.tree.id, self.tree)
        made: dict[str, Any] = {"kind": "release", "slot": "slot", "timeout": 60.0} | spec
        self.act(Verb.CREATE_JOB, name, JobSpec(workload=workload, commands=commands, **made))
        return self.driver.observe().jobs[name]

    def seen(self, name: str = "web-0", driver: ProcessDriver | None = None) -> Instance:
        return (driver or self.driver).observe().instances[name]

    def started(self) -> list[int]:
        """The pids of all that ever ran a program that says so."""
        return [int(line) for line in self.runs.read_text().split()] if self.runs.exists() else []

    def until(self, holds: Callable[[], bool]) -> None:
        limit = time.monotonic() + GUARD
        while not holds():
            assert time.monotonic() < limit, "it never came"
            time.sleep(0.01)

    def folder(self, name: str = "web-0") -> Path:
        return self.root / "instances" / name

    def run_of(self, folder: Path) -> RunRecord | None:
        return Reader().read(folder / RUN, RunRecord)

    def clean(self) -> None:
        for driver in self._given:
            driver.close()
        for folder in (*(self.root / "instances").iterdir(), *(self.root / "jobs").iterdir()):
            with suppress(Exception):
                run = self.run_of(folder)
                if run is not None:
                    ending.kill(run, folder)


ALWAYS = Probe("command", command=("/bin/true",))
HTTP = (Port("http", 0, main=True),)


def alive(pid: int) -> bool:
    seen = proc.stat(pid)
    return seen is not None and not seen.dead


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)

"""A whole daemon in one thread: a real source, planning, passes and conditions; modelled targets and a fake clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from reconciler.api.app import create_app
from reconciler.api.board import Surface
from reconciler.desired.assemble import assemble
from reconciler.drivers.memory import MemoryDriver
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Instance
from reconciler.plan.actions import Action, Verb
from reconciler.plan.planner import plan, units
from reconciler.plan.targets import known_targets
from reconciler.ports import Remembered
from reconciler.runtime.backoff import Backoff
from reconciler.runtime.controller import Controller
from reconciler.runtime.facts import FactGatherer
from reconciler.runtime.fleet import Fleet
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.reading import Reader
from reconciler.runtime.refresh import Feed, Meaning, Refresher
from reconciler.runtime.rules import Rules
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.workers import Workers
from reconciler.runtime.workqueue import WorkQueue
from reconciler.runtime.world import Board, remembered_world
from reconciler.sources.directory import DirectorySource
from reconciler.status.judge import judge
from reconciler.status.published import SourceState
from reconciler.status.telling import tell

QUIET = 600.0  # seconds of the fake clock in which everything that waits for a time comes to pass


class Blank:
    """A ledger and a history that take everything and remember nothing."""

    def __getattr__(self, name: str):
        return lambda *_, **__: None


class Noted(MemoryDriver):
    """A modelled target that keeps a list of what was done to it."""

    def __init__(self, key: ResourceKey, *, clock) -> None:
        super().__init__(key, clock=clock)
        self.done: list[Action] = []

    def apply(self, action: Action) -> None:
        super().apply(action)
        self.done.append(action)


class Living:
    """``look`` is what a change of the folder leads to: everything, until nothing more happens."""

    def __init__(self, folder: Path, clock) -> None:
        self.folder, self.clock = folder, clock
        self.drivers: dict[ResourceKey, Noted] = {}
        backoff, metrics, blank = Backoff(random=lambda: 1.0), Metrics(), Blank()
        memory = Remembered()
        source = DirectorySource("main", root=folder)
        self.queue = WorkQueue(clock, backoff)
        self.board = Board(remembered_world(memory), clock, work=self.queue.items)
        throttle = Throttle(clock, errors=backoff, repeats=backoff)
        self.fleet = Fleet(self._driver, clock=clock, backoff=backoff, width=1, woken=self._woken)
        facts = FactGatherer(frozenset({"main"}), source, lambda: None, dict)
        self.refresher = Refresher(
            {"main": Feed(source, SourceState("main", "directory", str(folder)))},
            reader=Reader(declared=memory.declared_by, metrics=metrics),
            meaning=Meaning(facts.gather, assemble, units),
            board=self.board,
            queue=self.queue,
            throttle=throttle,
            ledger=blank,
            clock=clock,
            metrics=metrics,
            retarget=lambda desired: self.fleet.sync(known_targets(desired, self.board.read().inventory)),
        )
        controller = Controller(
            self.board,
            fleet=self.fleet,
            ledger=blank,
            history=blank,
            queue=self.queue,
            throttle=throttle,
            rules=Rules(plan, units, judge, tell),
            clock=clock,
            metrics=metrics,
            stopping=lambda: False,
        )
        self.workers = Workers(self.queue, controller, count=0, metrics=metrics, clock=clock)
        self.client = TestClient(
            create_app(Surface(self.board, blank, self.fleet, clock)),
            base_url="http://127.0.0.1:7780",
            client=("127.0.0.1", 40000),
        )

    def _driver(self, described) -> Noted:
        return self.drivers.setdefault(described.key, Noted(described.key, clock=self.clock))

    def _woken(self, target: ResourceKey) -> None:
        for unit in self.board.read().units:
            if unit.target == target:
                self.queue.add(unit, "target")

    def look(self, *, quiet: float = QUIET) -> None:
        assert self.refresher.run("test")
        end = self.clock.monotonic() + quiet
        while self.clock.monotonic() < end:
            while (unit := self.queue.get(timeout=0)) is not None:
                self.workers.run_pass(unit)
            self.clock.advance(15.0)

    def ask(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def instances(self) -> dict[str, Instance]:
        return {name: i for driver in self.drivers.values() for name, i in driver.observe().instances.items()}

    def done(self, *, since: int = 0) -> list[tuple[Verb, str]]:
        return [(action.verb, action.name) for d in self.drivers.values() for action in d.done[since:]]

    def close(self) -> None:
        self.fleet.close()

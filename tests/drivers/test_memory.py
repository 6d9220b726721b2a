"""The official fake keeps every driver's promises, too."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from reconciler.desired.objects import Artifact, Port, Template, Tree, Workload
from reconciler.drivers.memory import MemoryDriver
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from tests.drivers.contract import DriverContract

HERE = server("here")


class Hand:
    """A clock that somebody turns."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


@dataclass
class Stage:
    """A memory driver, and its clock."""

    clock: Hand = field(default_factory=Hand)
    unit: UnitKey = field(default_factory=lambda: UnitKey(HERE, "shop", "production"))
    tree: Tree = field(default_factory=lambda: Tree("t" * 40, "root", (("app", "0" * 40, True),)))

    def __post_init__(self) -> None:
        self.driver = MemoryDriver(HERE, clock=self.clock)

    def workload(self, name: str = "web") -> Workload:
        own = ResourceKey("Resource", "shop", name, "production")
        template = Template(Artifact("tree", self.tree.id, self.tree.id), ("run",), ports=(Port("http", 0, main=True),))
        return Workload(own, self.unit, template, "r" * 64, settings={"stopTimeout": "5"})

    def until(self, holds) -> None:
        for _ in range(100):
            if holds():
                return
            self.clock.time += 1.0
        raise AssertionError("it never is")


class TestMemory(DriverContract):
    @pytest.fixture
    def stage(self):
        return Stage()


def test_who_watches_is_called_when_something_is_lost():
    """What somebody does behind our back is a change like any other."""
    stage, called = Stage(), []
    stage.driver.watch(lambda: called.append(1))
    stage.driver.lose("web-0")
    stage.driver.close()
    stage.driver.lose("web-0")
    assert called == [1]

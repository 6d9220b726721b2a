"""A ledger in a directory of its own, and one value of everything it keeps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger
from reconciler.store.ledger import Ledger

UNIT = UnitKey(server("here"), "shop", "production")
WEB = ResourceKey("Resource", "shop", "web", "production")
PROGRESS = Progress(
    "a+b",
    12.5,
    accepted=True,
    message="ü\0",
    previous="c",
    token="t",
    rejected=frozenset({"x", "y"}),
    leaving=frozenset({"i"}),
    drains={"i": 3.0},
)


@dataclass(frozen=True)
class Shop:
    """What a small shop leaves in a ledger."""

    unit: UnitKey = UNIT
    web: ResourceKey = WEB
    furniture: UnitKey = UNIT.furniture
    progress: Progress = PROGRESS

    @property
    def entry(self) -> Entry:
        return Entry(self.web, self.unit, "root", "retain", "gate", '{"kind": "local"}')

    @property
    def approval(self) -> ApprovalRecord:
        return ApprovalRecord("go", "ab12", "accepted", frozenset({self.web}), frozenset({self.unit, self.furniture}))

    @property
    def condition(self) -> Condition:
        return Condition(ConditionType.READY, Truth.FALSE, "Progressing", "waits", 7.0, "c0ffee")

    def event(self, at: float = 1.0, **changes: object) -> Event:
        given = {"at": at, "type": "deployment-started", "message": "web", "key": self.web, "unit": self.unit}
        return Event(**(given | changes))  # type: ignore[arg-type]

    def deployment(self, id: str = "d1", **changes: object) -> Deployment:
        given = {
            "id": id, "key": self.web, "unit": self.unit, "generation": "g", "release": "r", "revision": "c0ffee",
            "trigger": Trigger.CREATE, "status": DeploymentStatus.RUNNING, "started_at": 5.0,
            "snapshot": {"env": {"B": "2", "A": "1"}, "ports": [1, 2], "none": None},
        }  # fmt: skip
        return Deployment(**(given | changes))  # type: ignore[arg-type]

    def fill(self, ledger: Ledger) -> None:
        """One write of each kind."""
        ledger.commit_plan(
            self.unit, inventory={self.web: self.entry}, progress={self.web: self.progress}, approvals=[self.approval]
        )
        ledger.save_declared("root", {("root", "a.yaml"): frozenset({self.web.written}), ("root", "b"): frozenset()})
        ledger.save_conditions({self.web: (self.condition,), self.unit: (self.condition, self.condition)})
        ledger.save_applied("root", "c0ffee")
        ledger.save_holds(frozenset({self.web, self.furniture}))
        ledger.append([self.event()])
        ledger.put_deployment(self.deployment())


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def opened(path):
    """Opens the ledger, again and again if need be, and closes what is left open."""
    made: list[Ledger] = []

    def begin() -> Ledger:
        made.append(Ledger.open(path))
        return made[-1]

    yield begin
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(opened):
    return opened()

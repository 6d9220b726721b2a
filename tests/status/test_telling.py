"""History: deployments that begin and end once, events for what was done, nothing for a quiet pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.desired.objects import Origin, Plain, SecretRef
from reconciler.manifests.identity import UnitKey
from reconciler.manifests.problem import Position
from reconciler.plan.actions import Action
from reconciler.plan.inputs import Inputs
from reconciler.plan.planner import plan
from reconciler.plan.simulate import Simulation
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger
from reconciler.status.telling import SUPERSEDED, snapshot_of, tell
from tests.plan.scenes import HERE, PROJECT, Res, approval, key, simulation, want

UNIT = UnitKey(HERE, PROJECT, "production")


@dataclass(frozen=True)
class Done:
    action: Action
    error: Exception | None = None
    finished: float = 1.0


class Historian:
    """Runs a simulation and writes down what would be told of every pass of the unit."""

    def __init__(self, *states) -> None:
        self.sim: Simulation = simulation(*states)
        self.events: list[Event] = []
        self.deployments: dict[str, Deployment] = {}

    def settle(self, desired, *, horizon: float = 10_000.0) -> None:
        sim = self.sim

        def before(unit: UnitKey) -> None:
            if unit != UNIT:
                return
            inputs = Inputs(
                desired,
                sim.model.observed(),
                sim.model.now,
                inventory=sim.inventory,
                progress=sim.progress.get(unit, {}),
                claims=sim.claims,
                approvals=sim.approvals,
            )
            planned = plan(unit, inputs)
            events, deployments = tell(unit, inputs, planned, [Done(a) for a in planned.actions])
            self.events += events
            for told in deployments:  # as the ledger has it: what began stays what it was
                known = self.deployments.get(told.id, told)
                self.deployments[told.id] = replace(
                    known, status=told.status, finished_at=told.finished_at, message=told.message
                )

        sim.before_pass = before
        sim.settle(desired, horizon=horizon)

    def statuses(self) -> list[str]:
        return [d.status.value for d in sorted(self.deployments.values(), key=lambda d: d.started_at)]

    def types(self) -> list[str]:
        return [event.type for event in self.events]


def test_a_deployment_begins_and_succeeds():
    """One record per generation, with what was applied."""
    wanted = want(Res("web", port=False))
    history = Historian(wanted)
    history.settle(wanted, horizon=1.0)
    assert history.statuses() == ["running"]
    history.settle(wanted)
    (made,) = history.deployments.values()
    assert (made.status, made.trigger, made.key) == (DeploymentStatus.SUCCEEDED, Trigger.CREATE, key("web"))
    assert made.snapshot["command"] == ["good"]
    assert made.finished_at is not None


def test_a_quiet_pass_tells_nothing():
    """However often one looks."""
    wanted = want(Res("web", port=False))
    history = Historian(wanted)
    history.settle(wanted)
    events, deployments = len(history.events), dict(history.deployments)
    history.sim.model = history.sim.model.at(history.sim.model.now + 5000)
    history.settle(wanted)
    assert (len(history.events), history.deployments) == (events, deployments)


def test_a_failed_one_says_why():
    """Its message is the verdict's."""
    start, wanted = want(Res("web", port=False)), want(Res("web", "bad", port=False))
    history = Historian(start, wanted)
    history.settle(start)
    history.settle(wanted)
    assert history.statuses() == ["succeeded", "failed"]
    assert "deployment-failed" in history.types()
    assert any("did not get healthy" in event.message for event in history.events)


def test_an_overtaken_one_is_cancelled():
    """By the name that people know."""
    first, second = want(Res("web", "bad", port=False)), want(Res("web", "good2", port=False))
    history = Historian(first, second)
    history.settle(first, horizon=1.0)
    history.settle(second)
    assert history.statuses() == ["canceled", "succeeded"]
    assert SUPERSEDED in {d.message for d in history.deployments.values()}


def test_back_to_a_kept_release_is_a_rollback():
    """Told from what is still there."""
    one, two = want(Res("web", port=False)), want(Res("web", "good2", port=False))
    history = Historian(one, two)
    for state in (one, two, one):
        history.settle(state)
    assert [d.trigger.value for d in sorted(history.deployments.values(), key=lambda d: d.started_at)] == [
        "create",
        "create",
        "rollback",
    ]


def test_another_stamp_is_a_redeploy():
    """The same release, restarted."""
    one, two = want(Res("web", port=False)), want(Res("web", port=False, restart_token="again"))
    history = Historian(one, two)
    history.settle(one)
    history.settle(two)
    assert {d.trigger for d in history.deployments.values()} == {Trigger.CREATE, Trigger.REDEPLOY}


def test_repaired_drift_is_an_event_and_no_deployment():
    """Nothing new is deployed when something old is put back."""
    wanted = want(Res("web", port=False))
    history = Historian(wanted)
    history.settle(wanted)
    sim = history.sim
    sim.model = replace(sim.model, targets={**sim.model.targets, HERE: replace(sim.model.targets[HERE], instances={})})
    history.settle(wanted)
    assert "drift-repaired" in history.types()
    assert len(history.deployments) == 1


def test_an_adopted_instance_is_no_deployment():
    """After a lost ledger nothing was deployed."""
    wanted = want(Res("web", port=False))
    history = Historian(wanted)
    history.settle(wanted)
    history.sim.inventory.clear()
    history.sim.progress.clear()
    before = dict(history.deployments)
    history.settle(wanted)
    assert history.deployments == before


def test_an_accepted_approval_is_told_with_its_set():
    """Who lets what through is for the record."""
    many = [Res(f"r{n}", port=False) for n in range(6)]
    history = Historian(want(*many))
    history.settle(want(*many))
    history.settle(want(many[0]))
    gate = next(g.digest for p in history.sim.plans.values() for g in p.gates)
    history.settle(want(many[0], approvals=(approval(gate),)))
    (event,) = [e for e in history.events if e.type == "approval-accepted"]
    assert gate in event.message and "r5" in event.message


def test_secrets_are_not_in_snapshots():
    """What is no plain text is a reference, and what is masked stays so."""
    workload = want(Res("web", port=False)).workloads[0]
    env = (("A", Plain("clear")), ("B", SecretRef("file", "/b")), ("DB_PASSWORD", Plain("hunter2")))
    origins = {"DB_PASSWORD": Origin("resource", Position("app/.env"), masked=True)}
    shown = snapshot_of(replace(workload, template=replace(workload.template, env=env), origins=origins))
    assert shown["variables"] == {"A": "clear", "B": "****", "DB_PASSWORD": "****"}


def test_an_event_begins_with_its_cause():
    """What for comes first, what exactly comes after; a failure and a repair name the step, too."""
    wanted = want(Res("web"))
    history = Historian(wanted)
    history.settle(wanted)
    created = next(event for event in history.events if event.type == "create-done")
    (name,) = history.sim.model.targets[HERE].instances
    assert created.message.startswith("no instance 0 of ")
    assert created.message.endswith(f"({name})")

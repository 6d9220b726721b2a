"""Conditions: what a pass concluded, in words, with times that move only when something did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Collection, Health, State
from reconciler.plan.inputs import Inputs
from reconciler.plan.planner import plan
from reconciler.plan.simulate import Simulation
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.judge import Conditions, judge
from tests.plan.scenes import HERE, PROJECT, THERE, Res, key, settled, simulation, want

UNIT = UnitKey(HERE, PROJECT, "production")


def judged(sim: Simulation, desired, unit: UnitKey = UNIT, previous: Conditions | None = None) -> Conditions:
    """What is said of a unit after one more look."""
    inputs = Inputs(
        desired,
        sim.model.observed(),
        sim.model.now,
        inventory=sim.inventory,
        progress=sim.progress.get(unit, {}),
        claims=sim.claims,
        approvals=sim.approvals,
        holds=sim.holds,
        differences=sim.differences,
    )
    return judge(unit, inputs, plan(unit, inputs), previous or {})


def told(conditions: Conditions, subject, type_: ConditionType) -> tuple[str, str]:
    """Status and reason of one condition."""
    (found,) = [c for c in conditions[subject] if c.type is type_]
    return found.status.value, found.reason


def of(conditions: Conditions, subject, type_: ConditionType) -> Condition:
    (found,) = [c for c in conditions[subject] if c.type is type_]
    return found


def test_what_is_as_wanted_is_ready():
    """All of it: ready, healthy, in sync, nothing going on, nothing stalled."""
    wanted = want(Res("web", domain="shop.example"))
    conditions = judged(settled(wanted), wanted)
    assert {c.type.value: (c.status.value, c.reason) for c in conditions[key("web")]} == {
        "Ready": ("True", "Ready"),
        "Reconciling": ("False", "Settled"),
        "Stalled": ("False", "Settled"),
        "InSync": ("True", "InSync"),
        "Healthy": ("True", "Healthy"),
    }
    assert told(conditions, UNIT, ConditionType.READY) == ("True", "Ready")
    assert told(conditions, UNIT, ConditionType.REACHABLE) == ("True", "Observed")


def test_a_rollout_says_what_it_does_and_waits_for():
    """Reconciling, with the step in its message; and not ready meanwhile."""
    wanted = want(Res("web"))
    sim = simulation(wanted)
    sim.settle(wanted, horizon=1.0)
    conditions = judged(sim, wanted)
    assert told(conditions, key("web"), ConditionType.RECONCILING) == ("True", "Waiting")
    assert "to get healthy" in of(conditions, key("web"), ConditionType.RECONCILING).message
    assert told(conditions, key("web"), ConditionType.READY)[0] == "False"


def test_a_crash_loop_is_called_so_while_it_waits():
    """Why it is not ready is the crash, not that something waits for its end."""
    wanted = want(Res("web"))
    sim = simulation(wanted)
    sim.settle(wanted, horizon=1.0)
    target = sim.model.targets[HERE]
    crashed = {n: replace(i, state=State.EXITED, health=Health.UNKNOWN, exits=3) for n, i in target.instances.items()}
    sim.model = replace(sim.model, targets={**sim.model.targets, HERE: replace(target, instances=crashed)})
    conditions = judged(sim, wanted)
    assert told(conditions, key("web"), ConditionType.RECONCILING) == ("True", "Waiting")
    assert told(conditions, key("web"), ConditionType.READY) == ("False", "CrashLoop")


def test_a_failed_release_is_stalled_and_says_the_next_step():
    """With the verdict's words."""
    wanted = want(Res("web", "bad", domain="shop.example"))
    sim = settled(want(Res("web", domain="shop.example")), wanted)
    sim.model = replace(sim.model)
    conditions = judged(sim, wanted)
    assert told(conditions, key("web"), ConditionType.STALLED) == ("True", "ReleaseFailed")
    assert "spec.reconcileToken" in of(conditions, key("web"), ConditionType.READY).message


def test_drift_is_told_from_a_change():
    """Somebody removed an instance: drifted. Somebody committed another release: out of sync."""
    wanted = want(Res("web", port=False))
    sim = settled(wanted)
    changed = judged(sim, want(Res("web", "good2", port=False)))
    assert told(changed, key("web"), ConditionType.IN_SYNC) == ("False", "OutOfSync")
    sim.model = replace(sim.model, targets={**sim.model.targets, HERE: replace(sim.model.targets[HERE], instances={})})
    assert told(judged(sim, wanted), key("web"), ConditionType.IN_SYNC) == ("False", "Drifted")


def test_unknown_is_said_and_nothing_else_is():
    """No verdict over what cannot be seen."""
    wanted = want(Res("web"))
    sim = settled(wanted)
    sim.model = replace(sim.model, blind={HERE: frozenset({Collection.INSTANCES})})
    conditions = judged(sim, wanted)
    assert {c.status for c in conditions[key("web")]} == {Truth.UNKNOWN}
    assert told(conditions, UNIT, ConditionType.REACHABLE) == ("True", "PartlyObserved")


def test_retained_data_stalls_nothing():
    """It is told, and the unit is ready."""
    sim = settled(want(Res("db", volume="media"), Res("web")))
    wanted = want(Res("web"))
    sim.settle(wanted)
    conditions = judged(sim, wanted)
    assert told(conditions, key("media", kind="Volume"), ConditionType.READY) == ("True", "DataRetained")
    assert told(conditions, UNIT, ConditionType.READY) == ("True", "Ready")


def test_since_moves_only_with_the_status():
    """A look later is not a change; a broken instance is."""
    wanted = want(Res("web", port=False))
    sim = settled(wanted)
    first = judged(sim, wanted)
    sim.model = sim.model.at(sim.model.now + 500)
    second = judged(sim, wanted, previous=first)
    assert second == first
    sim.model = replace(sim.model, targets={**sim.model.targets, HERE: replace(sim.model.targets[HERE], instances={})})
    third = judged(sim, wanted, previous=second)
    assert of(third, key("web"), ConditionType.HEALTHY).since == sim.model.now
    assert of(third, key("web"), ConditionType.STALLED).since == of(first, key("web"), ConditionType.STALLED).since


def test_what_is_gone_is_forgotten():
    """An empty tuple for what left the unit; what moved is judged where it is."""
    both = want(Res("web"), Res("api"))
    sim = settled(both)
    first = judged(sim, both)
    wanted = want(Res("web"))
    sim.settle(wanted)
    assert judged(sim, wanted, previous=first)[key("api")] == ()


def test_what_moves_is_judged_on_its_new_target():
    """The old unit says nothing of it any more."""
    sim = settled(want(Res("web")))
    wanted = want(Res("web", target=THERE))
    sim.settle(wanted, horizon=1.0)
    assert key("web") not in judged(sim, wanted)
    assert key("web") in judged(sim, wanted, UnitKey(THERE, PROJECT, "production"))


def test_the_furniture_speaks_for_its_target():
    """The server's own conditions."""
    wanted = want(Res("web"))
    sim = settled(wanted)
    conditions = judged(sim, wanted, UnitKey(HERE))
    assert told(conditions, HERE, ConditionType.REACHABLE) == ("True", "Observed")


@pytest.mark.parametrize("present", [True, False])
def test_a_static_site_is_healthy_when_it_is_served(present):
    """Nothing runs: a route that leads to its files is what counts."""
    wanted = want(Res("site", domain="site.example", static=True))
    sim = settled(wanted) if present else simulation(wanted)
    assert told(judged(sim, wanted), key("site"), ConditionType.HEALTHY)[0] == str(present)


def test_the_revision_is_named():
    """Each condition speaks of one."""
    wanted = want(Res("web"))
    assert {c.revision for c in judged(settled(wanted), wanted)[key("web")]} == {"r1"}


def test_an_unknown_subject_is_no_subject():
    """Only what is there is judged."""
    wanted = want(Res("web"))
    assert ResourceKey("Resource", PROJECT, "api", "production") not in judged(settled(wanted), wanted)

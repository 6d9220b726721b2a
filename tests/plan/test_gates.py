"""Too many at once, data, moves, orphans, decommissioned targets: nothing goes without the one Approval for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.objects import Desired, Held
from reconciler.observed.snapshot import Route
from reconciler.plan.actions import ApprovalRecord, GateReason, Verb
from reconciler.plan.gates import voided
from reconciler.plan.simulate import Simulation
from tests.plan.scenes import HERE, PROJECT, THERE, Res, approval, blocks, forget, key, running, settled, want, writes

MANY = tuple(Res(f"r{i}", port=False) for i in range(12))


def removed(sim: Simulation) -> list[str]:
    """What was removed, by resource."""
    return sorted(s.action.key.name for s in sim.steps if s.action.verb is Verb.REMOVE)


def digest_of(sim: Simulation, reason: GateReason = GateReason.MASS) -> str:
    """The digest that the plan prints for the only gate of a reason."""
    found = {g.digest for p in sim.plans.values() for g in p.gates if g.reason is reason}
    assert len(found) == 1, found
    return found.pop()


def emptied(start: Desired) -> Desired:
    """The repository is empty: nothing is declared any more."""
    return Desired(revisions={"root": "r2"}, targets=start.targets)


@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [
        (4, 3, False),  # few go freely
        (4, 0, False),  # below five there is no "more than half"
        (5, 3, False),
        (5, 2, True),  # more than half of five
        (12, 6, False),
        (12, 5, True),  # more than half of twelve
        (12, 1, True),  # more than ten
    ],
)
def test_too_many_at_once_stay(before, after, stays):
    """More than ten, or more than half from five up."""
    sim = settled(want(*MANY[:before]))
    sim.settle(want(*MANY[:after]))
    assert len(running(sim)) == (before if stays else after)


def test_an_empty_source_removes_nothing_and_says_so():
    """Every resource is blocked, with the gate's digest and the count."""
    start = want(*MANY[:3])
    sim = settled(start).settle(emptied(start))
    assert running(sim) == ["r0", "r1", "r2"]
    assert set(blocks(sim).values()) == {"MassDeletion"}
    told = [b.message for p in sim.plans.values() for b in p.blocks]
    assert all("declares nothing any more" in text and digest_of(sim) in text for text in told)


@pytest.mark.parametrize("part", ["projects", "environments"])
def test_a_vanished_project_or_environment_is_many_at_once(part):
    """One resource is enough when what it lived in is gone."""
    sim = settled(want(Res("web"), Res("web", environment="staging")))
    sim.settle(want(Res("web"), **{part: frozenset() if part == "projects" else frozenset({(PROJECT, "production")})}))
    assert running(sim) == ["web", "web"]
    assert "MassDeletion" in blocks(sim).values()


def test_the_approval_lets_exactly_that_set_through():
    """The printed digest opens the gate; what is still declared stays."""
    start = want(*MANY)
    sim = settled(start)
    sim.settle(want(*MANY[:1]))
    sim.settle(want(*MANY[:1], approvals=(approval(digest_of(sim)),)))
    assert running(sim) == ["r0"]
    assert removed(sim) == sorted(r.name for r in MANY[1:])


def test_an_approval_of_another_set_opens_nothing():
    """One more resource gone makes another gate."""
    sim = settled(want(*MANY))
    sim.settle(want(*MANY[:1]))
    sim.settle(want(approvals=(approval(digest_of(sim)),)))
    assert len(running(sim)) == 12


def test_an_expired_approval_opens_nothing():
    """Consent has an end."""
    sim = settled(want(*MANY))
    sim.settle(want(*MANY[:1]))
    sim.settle(want(*MANY[:1], approvals=(approval(digest_of(sim), expires_at=1.0),)))
    assert len(running(sim)) == 12


def test_the_same_approval_does_not_work_twice():
    """Declared again and gone again, the same set is the same gate, and needs another Approval."""
    sim = settled(want(*MANY))
    sim.settle(want(*MANY[:1]))
    consent = approval(digest_of(sim))
    sim.settle(want(*MANY[:1], approvals=(consent,)))
    sim.settle(want(*MANY, approvals=(consent,)))
    sim.settle(want(*MANY[:1], approvals=(consent,)))
    assert len(running(sim)) == 12
    sim.settle(want(*MANY[:1], approvals=(consent, replace(consent, name="again"))))
    assert running(sim) == ["r0"]


def test_a_removal_cut_in_half_goes_on():
    """What was let through is marked before the first delete: a kill, and a vanished Approval, do not stop it."""
    sim = settled(want(*MANY))
    left = want(*MANY[:1])
    sim.settle(left)
    seen = iter(range(4))

    class Killed(Exception):
        pass

    def die(_: object) -> None:
        if next(seen, None) is None:
            raise Killed

    sim.before_action = die
    with pytest.raises(Killed):
        sim.settle(replace(left, approvals=(approval(digest_of(sim)),)))
    sim.before_action = lambda _: None
    forget(sim, "claims")
    assert 1 < len(running(sim)) < 12
    sim.settle(left)
    assert running(sim) == ["r0"]


def test_one_gate_over_two_units_opens_in_both():
    """Each unit marks its own entries, once."""
    everywhere = [replace(r, environment=e) for r in MANY[:4] for e in ("production", "staging")]
    sim = settled(want(*everywhere))
    sim.settle(want(everywhere[0]))
    sim.settle(want(everywhere[0], approvals=(approval(digest_of(sim)),)))
    assert running(sim) == ["r0"]
    assert sim.approvals["yes"].used == sim.approvals["yes"].units


def test_explicitly_deleted_needs_no_approval():
    """``desiredState: deleted`` was said of each of them."""
    sim = settled(want(*MANY))
    gone = frozenset(key(r.name) for r in MANY)
    sim.settle(want(declared=dict.fromkeys([*gone, HERE, THERE], "root"), deleted=gone))
    assert running(sim) == []


def test_approvals_that_a_new_ledger_finds_are_void():
    """They may have been used in a history that is lost."""
    sim = settled(want(*MANY))
    sim.settle(want(*MANY[:1]))
    gone = want(*MANY[:1], approvals=(approval(digest_of(sim)),))
    sim.approvals.update({record.name: record for record in voided(gone)})
    sim.settle(gone)
    assert len(running(sim)) == 12
    assert sim.approvals == {"yes": ApprovalRecord("yes", gone.approvals[0].gate, "void")}


@pytest.mark.parametrize(
    "held",
    [
        Held(keys=frozenset({key("web").written})),
        Held(projects=frozenset({PROJECT})),
        Held(environments=frozenset({(PROJECT, "production")})),
        Held(targets=frozenset({HERE})),
        Held(sources=frozenset({"root"})),
    ],
    ids=["key", "project", "environment", "target", "source"],
)
def test_what_cannot_be_read_holds_and_no_approval_opens_it(held):
    """Unknown is not absent."""
    sim = settled(want(Res("web", port=False), Res("api", port=False)))
    sim.settle(want(Res("api", port=False), held=held, approvals=(approval("0" * 16),)))
    assert running(sim) == ["api", "web"]
    assert blocks(sim)[str(key("web"))] == "DesiredUnknown"


def test_a_volume_is_not_talked_about_while_its_user_cannot_be_read():
    """Nobody knows whether it is still mounted: it stays, and no sentence says that it would go."""
    sim = settled(want(Res("db", volume="media"), Res("web"), deletion="delete"))
    sim.settle(want(Res("web"), held=Held(keys=frozenset({key("db").written}))))
    assert len(sim.model.targets[HERE].volumes) == 1
    assert blocks(sim) == {str(key("db")): "DesiredUnknown"}
    assert [gate for plan in sim.plans.values() for gate in plan.gates] == []


def test_what_is_still_named_stays():
    """A manifest that names it is broken, not proof that nobody needs it."""
    sim = settled(want(Res("web", port=False), Res("api", port=False)))
    sim.settle(want(Res("web", port=False), named=frozenset({key("api").written})))
    assert running(sim) == ["api", "web"]
    assert blocks(sim)[str(key("api"))] == "StillNamed"


# --- data ------------------------------------------------------------------------------------------------------------


def test_data_is_retained_unless_told_otherwise():
    """The resource goes, its volume does not, and that is said."""
    sim = settled(want(Res("db", volume="media"), Res("web")))
    sim.settle(want(Res("web")))
    assert running(sim) == ["web"]
    assert len(sim.model.targets[HERE].volumes) == 1
    assert blocks(sim)[str(key("media", kind="Volume"))] == "DataRetained"


def test_data_goes_only_with_its_policy_and_an_approval():
    """Both, never one of them; and the volume goes after what mounted it."""
    sim = settled(want(Res("db", volume="media"), Res("web"), deletion="delete"))
    sim.settle(want(Res("web")))
    assert len(sim.model.targets[HERE].volumes) == 1
    sim.settle(want(Res("web"), approvals=(approval(digest_of(sim, GateReason.DATA)),)))
    assert not sim.model.targets[HERE].volumes
    gone = [verb for verb, _ in writes(sim) if verb in ("remove", "delete-volume")]
    assert gone == ["remove", "delete-volume"]


def test_moving_with_data_waits_for_an_approval():
    """Nothing starts beside its data; consent lets it start without."""
    here, there = Res("db", volume="media"), Res("db", volume="media", target=THERE)
    sim = settled(want(here)).settle(want(there))
    assert (running(sim), running(sim, THERE)) == (["db"], [])
    assert blocks(sim)[str(key("db"))] == "DataWouldStay"
    sim.settle(want(there, approvals=(approval(digest_of(sim, GateReason.MOVE)),)))
    assert (running(sim), running(sim, THERE)) == ([], ["db"])
    assert len(sim.model.targets[HERE].volumes) == 1


# --- orphans, decommissioned targets ---------------------------------------------------------------------------------


def test_after_a_lost_ledger_undeclared_objects_are_orphans():
    """They bear our mark and are on no record: reported, and gone only by an Approval."""
    sim = settled(want(Res("web", port=False), Res("api", port=False)))
    forget(sim, "inventory", "progress", "claims")
    sim.settle(want(Res("api", port=False)))
    assert running(sim) == ["api", "web"]
    assert blocks(sim)[str(key("web"))] == "Orphan"
    sim.settle(want(Res("api", port=False), approvals=(approval(digest_of(sim, GateReason.ORPHAN)),)))
    assert running(sim) == ["api"]


def test_a_decommissioned_target_is_forgotten_with_an_approval():
    """Nothing is done there, and nothing is forgotten without consent."""
    start = want(Res("web"), Res("db", volume="media"))
    targets = {**start.targets, HERE: replace(start.targets[HERE], lifecycle="decommissioned")}
    sim = settled(start)
    before = len(sim.steps)
    sim.settle(want(targets=targets))
    gate = digest_of(sim, GateReason.DECOMMISSION)
    assert any(len(entries) == 3 for entries in sim.inventory.values())
    sim.settle(want(targets=targets, approvals=(approval(gate),)))
    assert len(sim.steps) == before
    assert [u for u, entries in sim.inventory.items() if entries and u.target == HERE and not u.is_furniture] == []


# --- holds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", ["Locked", "Suspended", "Archived", "Inactive"])
def test_a_held_unit_is_planned_and_shown_and_not_applied(hold):
    """Nothing is done, neither forwards nor away; what would be done can be read."""
    start = want(Res("web"), Res("api", port=False))
    after = want(Res("web", "good2"))
    units = {unit: replace(policy, hold=hold) for unit, policy in after.units.items()}
    sim = settled(start)
    before = len(sim.steps)
    sim.settle(replace(after, units=units))
    assert len(sim.steps) == before
    held = [h for p in sim.plans.values() for h in p.held]
    assert {h.reason for h in held} == {hold}
    assert {h.action.key.name for h in held} == {"web", "api"}


def test_reported_drift_is_not_repaired():
    """A change in git is applied, a change behind our back is told."""
    here = Res("web", report_drift=True)
    sim = settled(want(here))
    target = sim.model.targets[HERE]
    sim.model = replace(sim.model, targets={**sim.model.targets, HERE: replace(target, instances={})})
    before = len(sim.steps)
    sim.settle(want(here))
    assert len(sim.steps) == before
    assert [h.reason for p in sim.plans.values() for h in p.held] == ["DriftReported"]
    sim.settle(want(replace(here, version="good2")))
    assert running(sim) == ["web"]


def public(sim: Simulation) -> list[Route]:
    """Routes that the world sees."""
    return [route for route in sim.model.targets[HERE].routes.values() if not route.shape.listen]


def test_two_claimants_of_one_route():
    """The present holder keeps it, through its own releases too; the other is told."""
    holder, rival = Res("web", domain="shop.example"), Res("site", domain="shop.example")
    sim = settled(want(holder))
    sim.settle(want(holder, rival))
    assert [r.resource.name for r in public(sim)] == ["web"]
    assert "DomainConflict" in blocks(sim).values()
    sim.settle(want(replace(holder, version="good2"), rival))
    target = sim.model.targets[HERE]
    serving = {target.instances[name].release for route in public(sim) for name in route.upstreams}
    assert serving == {w.release for w in want(replace(holder, version="good2")).workloads}


def test_two_claimants_in_two_projects():
    """The same between units."""
    holder, rival = Res("web", domain="shop.example"), Res("web", domain="shop.example", environment="staging")
    sim = settled(want(holder))
    sim.settle(want(holder, rival))
    assert [r.resource.environment for r in public(sim)] == ["production"]
    assert "DomainConflict" in blocks(sim).values()

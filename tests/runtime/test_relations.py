"""Whom a change concerns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.objects import Artifact, Desired, Held, Template, UnitPolicy, Workload
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey
from reconciler.runtime.relations import changed_units, dependents

TEMPLATE = Template(Artifact("tree", "t", "t"))


def workload(unit, name, release="r", depends_on=()):
    key = ResourceKey("Resource", unit.project, name, unit.environment)
    return Workload(key, unit, TEMPLATE, release, depends_on=depends_on)


@pytest.fixture
def desired(unit, other):
    return Desired(
        workloads=(workload(unit, "web"), workload(other, "web")), units={unit: UnitPolicy(), other: UnitPolicy()}
    )


@pytest.fixture
def units(unit, other):
    return [unit.furniture, unit, other]


def test_nothing_changed_concerns_nobody(desired, units):
    """Another revision with the same content, say."""
    assert changed_units(desired, replace(desired, revisions={"main": "b"}), {}, units) == []


def test_a_changed_workload_concerns_its_unit_and_the_furniture(desired, units, unit, other):
    """Routes and artifacts are the furniture's."""
    changed = replace(desired, workloads=(workload(unit, "web", "r2"), workload(other, "web")))
    assert changed_units(desired, changed, {}, units) == [unit.furniture, unit]


def test_a_changed_policy_concerns_its_unit(desired, units, unit, other):
    """A reconcileToken, a lock."""
    changed = replace(desired, units={unit: UnitPolicy(reconcile_token="again"), other: UnitPolicy()})
    assert changed_units(desired, changed, {}, units) == [unit.furniture, unit]


def test_what_is_on_record_and_no_longer_declared_concerns_its_unit(desired, units, unit):
    """Also when nothing of the unit is wanted any more."""
    key = ResourceKey("Volume", "shop", "media", "production")
    before = replace(desired, declared={key: "main"})
    assert changed_units(before, desired, {unit: {key: Entry(key, unit)}}, units) == [unit.furniture, unit]


@pytest.mark.parametrize("change", [{"held": Held(sources=frozenset({"main"}))}, {"projects": frozenset({"shop"})}])
def test_what_guards_of_every_unit_read_concerns_all(desired, units, change):
    """A held source, a project that vanished."""
    assert changed_units(desired, replace(desired, **change), {}, units) == sorted(units)


def test_dependents_are_units_of_other_units_workloads(unit, other):
    """Within one unit nobody needs to be woken."""
    base = workload(unit, "web")
    desired = Desired(
        workloads=(base, workload(unit, "beat", depends_on=(base.key,)), workload(other, "api", depends_on=(base.key,)))
    )
    assert dependents(desired) == {unit: frozenset({other})}

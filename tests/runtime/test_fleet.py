"""Drivers come with their targets, look once for many, and are asked again after a backoff."""

from __future__ import annotations

import pytest

from reconciler.desired.objects import TargetObject
from reconciler.errors import Unreachable
from reconciler.manifests.identity import server
from reconciler.observed.snapshot import Collection, Target
from reconciler.runtime.fleet import Fleet

HERE, THERE = server("here"), server("there")


class Watched:
    """A driver that counts, and fails when told to."""

    def __init__(self, described):
        self.key = described.key
        self.described = described
        self.looks = 0
        self.error = None
        self.closed = False
        self.changed = None

    def observe(self):
        self.looks += 1
        if self.error:
            raise self.error
        return Target(observed_at=float(self.looks))

    def watch(self, changed):
        self.changed = changed

    def close(self):
        self.closed = True


@pytest.fixture
def made():
    return []


@pytest.fixture
def woken():
    return []


@pytest.fixture
def fleet(clock, backoff, made, woken):
    def driver_for(described):
        if described.port_range == (1, 1):
            raise Unreachable("there: no engine")
        made.append(Watched(described))
        return made[-1]

    fleet = Fleet(driver_for, clock=clock, backoff=backoff, width=2, woken=woken.append)
    fleet.sync({HERE: TargetObject(HERE, "process")})
    yield fleet
    fleet.close()


def test_one_look_serves_every_pass_that_began_before_it(fleet, clock, made):
    """Ten units of one target cost one observation."""
    since = clock.monotonic()
    for _ in range(10):
        fleet.look(HERE, since=since)
    assert made[0].looks == 1
    clock.advance(1)
    fleet.look(HERE, since=clock.monotonic())
    assert made[0].looks == 2


def test_a_target_that_does_not_answer_is_blind_and_asked_again_after_its_backoff(fleet, clock, made):
    """Unknown is not empty, and many units do not make many attempts."""
    fleet.look(HERE, since=clock.monotonic())
    made[0].error = Unreachable("here: no answer")
    clock.advance(1)
    look = fleet.look(HERE, since=clock.monotonic())
    assert look.target.unknown == frozenset(Collection)
    assert (look.target.trouble, look.target.observed_at) == ("here: no answer", 0.0)
    clock.advance(0.5)
    fleet.look(HERE, since=clock.monotonic())
    assert made[0].looks == 2
    clock.advance(1)
    made[0].error = None
    assert fleet.look(HERE, since=clock.monotonic()).error is None


def test_a_defect_of_a_driver_is_unknown_too(fleet, clock, made):
    """An exception that nobody foresaw proves no absence."""
    fleet.look(HERE, since=clock.monotonic())
    made[0].error = KeyError("pid")
    clock.advance(1)
    look = fleet.look(HERE, since=clock.monotonic())
    assert "KeyError" in look.target.trouble
    assert not look.target.knows(Collection.INSTANCES)


def test_a_target_that_nobody_describes_is_unknown(fleet, clock):
    """Without a way to reach it, nothing is said of what is there."""
    look = fleet.look(THERE, since=clock.monotonic())
    assert look.target.unknown == frozenset(Collection)
    assert isinstance(look.error, Unreachable)


def test_a_target_that_cannot_be_opened_leaves_the_others_alone(fleet, clock):
    """Its error is told where it is asked for."""
    fleet.sync({HERE: TargetObject(HERE, "process"), THERE: TargetObject(THERE, "process", port_range=(1, 1))})
    assert str(fleet.look(THERE, since=clock.monotonic()).error) == "there: no engine"
    assert fleet.look(HERE, since=clock.monotonic()).error is None


def test_a_target_described_otherwise_gets_a_new_driver_and_a_moved_manifest_does_not(fleet, clock, made):
    """Where a manifest stands is no reason to reconnect."""
    fleet.look(HERE, since=clock.monotonic())
    fleet.sync({HERE: TargetObject(HERE, "process", source="main")})
    assert not made[0].closed
    fleet.sync({HERE: TargetObject(HERE, "process", port_range=(30000, 30099))})
    fleet.look(HERE, since=clock.monotonic())
    assert made[0].closed
    assert made[1].described.port_range == (30000, 30099)


def test_a_change_on_the_target_wakes_its_units(fleet, clock, made, woken):
    """The driver's hint carries the target's key."""
    fleet.look(HERE, since=clock.monotonic())
    made[0].changed()
    assert woken == [HERE]

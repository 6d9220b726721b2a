"""What is shared, what is published, and when a reader notices."""

from __future__ import annotations

import threading
from dataclasses import replace

from reconciler.desired.objects import Artifact, Desired, DesiredBlock, Template, Workload
from reconciler.errors import Unreachable
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.problem import Position, Problem
from reconciler.plan.actions import Action, Block, Gate, GateReason, HeldAction, Plan, Progress, Verb, Wait
from reconciler.ports import Remembered
from reconciler.runtime.report import report
from reconciler.runtime.settling import with_settled_sources
from reconciler.runtime.world import Board, World, remembered_world, with_conditions, with_inventory, with_item
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.published import SourceState, WorkItem

WEB = ResourceKey("Resource", "shop", "web", "production")


def test_a_change_makes_the_serial_grow_and_a_quiet_one_does_not(clock):
    """The value is fresh either way."""
    board = Board(World(), clock)
    board.change(lambda world: replace(world, edition=1))
    clock.advance(5)
    board.change(lambda world: replace(world, holds=frozenset({WEB})), quiet=True)
    view = board.published()
    assert (view.serial, view.holds, view.generated_at) == (1, {WEB}, clock.now() - 5)


def test_a_step_that_changes_nothing_is_no_change(clock):
    """The same value back: the same serial."""
    board = Board(World(), clock)
    board.change(lambda world: world)
    assert board.published().serial == 0


def test_who_waits_for_another_serial_is_woken(clock):
    """At once, and not by a quiet change."""
    board, got = Board(World(), clock), []
    reader = threading.Thread(target=lambda: got.append(board.wait(0, 30).serial))
    reader.start()
    board.change(lambda world: replace(world, holds=frozenset({WEB})), quiet=True)
    board.change(lambda world: replace(world, edition=1))
    reader.join(30)
    assert got == [1]
    assert board.wait(1, 0.01).serial == 1


def test_the_queues_items_are_those_of_the_moment(clock, unit):
    """They belong to no serial."""
    items = []
    board = Board(World(), clock, work=lambda: tuple(items))
    items.append(WorkItem(unit, "running"))
    assert board.published().work == (WorkItem(unit, "running"),)


def test_what_the_ledger_remembers_is_the_beginning(unit):
    """Nothing has settled before the first look at the sources."""
    memory = Remembered(
        fresh=False, inventory={unit: {WEB: Entry(WEB, unit)}}, progress={unit: {WEB: Progress("g", 1.0)}}
    )
    world = remembered_world(memory)
    assert (world.units, world.settled) == ((unit,), False)


def test_a_moving_resource_is_shown_with_the_progress_of_where_it_is_wanted(clock, unit, other):
    """It has one on either side."""
    wanted = Workload(WEB, unit, Template(Artifact("tree", "t", "t")), "r")
    progress = {unit: {WEB: Progress("new", 1.0)}, other: {WEB: Progress("old", 1.0)}}
    board = Board(World(desired=Desired(workloads=(wanted,)), progress=progress), clock)
    assert board.published().progress[WEB].generation == "new"


def test_mappings_are_replaced_only_when_something_is_new(unit, other):
    """So that what did not change is the same object."""
    entries = {WEB: Entry(WEB, unit)}
    inventory = {unit: entries}
    assert with_item(inventory, unit, dict(entries)) is inventory
    assert with_inventory(inventory, other, {}) is inventory
    assert with_inventory(inventory, unit, {}) == {}
    said = (Condition(ConditionType.READY, Truth.TRUE, "Ready", "", 1.0),)
    assert with_conditions({WEB: said}, {}) == {WEB: said}
    assert with_conditions({WEB: said}, {WEB: ()}) == {}


def sources(unit, plan, **desired):
    state = SourceState("main", "git", "/r", seen="b", applied="a")
    world = World(
        edition=1,
        units=(unit,),
        plans={unit: plan},
        planned={unit: 1},
        sources={"main": state},
        desired=Desired(revisions={"main": "b"}, **desired),
    )
    settled = with_settled_sources(world).sources["main"]
    return settled.applied, settled.blocked


def test_how_far_a_revision_has_come(unit):
    """Applied when all has settled, blocked when something cannot go on; retained data stop nothing."""
    block = DesiredBlock(WEB, unit, "Invalid", Problem(Position("web.yaml", 1, 1), "spec", "is wrong"))
    gate = Gate(GateReason.MASS, "main", (WEB,), "d")
    assert sources(unit, Plan(unit)) == ("b", "")
    assert sources(unit, Plan(unit, waits=(Wait(WEB, "health"),))) == ("a", "")
    assert sources(unit, Plan(unit, blocks=(Block(WEB, "DataRetained"),))) == ("b", "")
    assert sources(unit, Plan(unit, blocks=(Block(WEB, "ExistsNotOurs"),))) == ("a", "b")
    assert sources(unit, Plan(unit, gates=(gate,))) == ("a", "b")
    assert sources(unit, Plan(unit), blocks=(block,)) == ("a", "b")


def test_a_report_names_everything_that_is_not_as_declared(unit):
    """And nothing else."""
    action = Action(unit, WEB, Verb.CREATE, "web-0")
    plan = Plan(
        unit,
        actions=(action,),
        waits=(Wait(WEB, "health"),),
        blocks=(Block(WEB, "ExistsNotOurs", "taken"), Block(WEB, "DataRetained", "kept")),
        held=(HeldAction(action, "Locked"),),
        gates=(Gate(GateReason.MASS, "main", (WEB,), "abc", "all of it"),),
    )
    world = World(plans={unit: plan}, sources={"main": SourceState("main", "git", "/r", error="gone")})
    said = report(world, [WorkItem(unit, "failed", error=str(Unreachable("no answer")))], idle=False)
    assert not said.converged
    assert [line.rpartition(": ")[2] for line in said.lines] == [
        "gone", "no answer", "taken", "all of it", "waits for health",
        "Locked", "create web-0 is still to be done", "the time was over before everything had settled",
    ]  # fmt: skip
    assert report(World(plans={unit: Plan(unit)}), [], idle=True).converged

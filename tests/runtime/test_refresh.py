"""From a source to the queue: what is parsed, who is woken, and what a failing source does not do."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from reconciler.desired.objects import ApprovalObject, Desired, Held, UnitPolicy
from reconciler.errors import SourceUnavailable, TransientError
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.manifests.revision import File, Revision
from reconciler.plan.planner import units
from reconciler.ports import Remembered
from reconciler.runtime.backoff import Backoff
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.reading import Reader
from reconciler.runtime.refresh import Feed, Meaning, Refresher
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.world import Board, remembered_world
from reconciler.status.published import SourceState

HERE = server("here")
FRESH = Remembered()


class Folder:
    """A source in memory: paths and texts."""

    name = "main"

    def __init__(self):
        self.texts = {}
        self.error = None
        self.reads = 0

    def revision(self):
        if self.error:
            raise self.error
        blobs = {path: hashlib.sha1(text.encode()).hexdigest() for path, text in self.texts.items()}
        identity = hashlib.sha1(repr(sorted(blobs.items())).encode()).hexdigest()
        return Revision("main", identity, {path: File(path, blob) for path, blob in blobs.items()}, subject="a change")

    def read(self, blobs):
        self.reads += 1
        contents = {hashlib.sha1(text.encode()).hexdigest(): text.encode() for text in self.texts.values()}
        return {blob: contents[blob] for blob in blobs}


class Notebook:
    """A ledger that writes down what it is told."""

    def __init__(self):
        self.calls = []
        self.failing = set()

    def __getattr__(self, name):
        def call(*args, **kwargs):
            if name in self.failing:
                raise TransientError(f"ledger: {name}: disk full")
            self.calls.append((name, args, kwargs))

        return call

    def named(self, name):
        return [args for called, args, _ in self.calls if called == name]


PROJECT = """---
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {{name: {name}}}
spec: {{environments: {{p: {{target: {{server: here}}}}}}}}
"""


def desired_of(catalog, facts):
    """Each Project is one unit on ``here``; facts stamp it."""
    keys = {key for key in (*catalog.documents, *catalog.broken) if key.kind == "Project"}
    return Desired(
        revisions={name: revision.id for name, revision in catalog.revisions.items()},
        units={UnitKey(HERE, key.name, "p"): UnitPolicy(reconcile_token=facts.get(key.name, "")) for key in keys},
        declared=dict.fromkeys(keys, "main"),
        held=Held(sources=catalog.opaque),
        approvals=tuple(ApprovalObject(a, "g", "why", 1e12) for a in facts.get("approvals", ())),
    )


class House:
    """A refresher with everything around it."""

    def __init__(self, clock, queue, memory=FRESH):
        self.folder, self.ledger, self.queue, self.clock = Folder(), Notebook(), queue, clock
        self.facts, self.metrics, self.targets = {}, Metrics(), []
        backoff = Backoff(random=lambda: 1.0)
        self.throttle = Throttle(clock, errors=backoff, repeats=backoff)
        self.board = Board(remembered_world(memory), clock)
        self.refresher = Refresher(
            {"main": Feed(self.folder, SourceState("main", "directory", "/srv/main"))},
            reader=Reader(declared=memory.declared_by, metrics=self.metrics),
            meaning=Meaning(lambda catalog: dict(self.facts), desired_of, units),
            board=self.board,
            queue=queue,
            throttle=self.throttle,
            ledger=self.ledger,
            clock=clock,
            metrics=self.metrics,
            retarget=self.targets.append,
            fresh=memory.fresh,
        )

    def run(self, **texts):
        """Looks once more; each keyword is a file, and names the projects that it declares."""
        for file, names in texts.items():
            self.folder.texts[f"{file}.yaml"] = "".join(PROJECT.format(name=name) for name in names.split())
        return self.refresher.run("test")

    def woken(self):
        found = []
        while (taken := self.queue.get(timeout=0)) is not None:
            self.queue.done(taken)
            found.append(taken)
        return {unit.project for unit in found}

    def plan_all(self):
        """As if every unit had had a pass."""
        self.board.change(lambda world: replace(world, planned=dict.fromkeys(world.units, world.edition)))
        return self.woken()

    def parsed(self):
        return self.metrics.registry.get_sample_value("reconciler_blobs_parsed_total")


@pytest.fixture
def house(clock, queue):
    return House(clock, queue)


def test_a_first_look_parses_every_manifest_and_wakes_every_unit(house):
    """Only files that may be manifests are read at all."""
    house.folder.texts["notes.txt"] = "nothing"
    assert house.run(a="one", b="two")
    assert house.parsed() == 2
    assert house.woken() == {"one", "two", ""}


def test_blobs_parsed_are_blobs_changed(house):
    """One file of many changed: one is decoded, also when another source file was renamed with it."""
    house.run(**{f"f{n}": f"p{n}" for n in range(50)})
    house.run(f7="other")
    assert house.parsed() == 51


def test_a_look_without_change_does_nothing(house):
    """No read, no write, no wake-up, no new serial."""
    house.run(a="one")
    house.plan_all()
    before = (house.board.published().serial, len(house.ledger.calls), house.folder.reads)
    house.clock.advance(60)
    house.run()
    assert (house.board.published().serial, len(house.ledger.calls), house.folder.reads) == before
    assert house.woken() == set()


def test_only_units_that_a_change_concerns_are_woken(house):
    """A changed fact of one project leaves the other's plan valid for the new edition."""
    house.run(a="one", b="two")
    house.plan_all()
    house.facts = {"two": "token"}
    house.run()
    assert house.woken() == {"two", ""}
    assert house.board.read().current(UnitKey(HERE, "one", "p"))


def test_a_changed_input_lifts_the_wait_of_failed_actions(house, monkeypatch):
    """Terminal errors are retried at once when what they rest on changed."""
    cleared = []
    monkeypatch.setattr(house.throttle, "clear", cleared.append)
    house.run(a="one")
    house.plan_all()
    cleared.clear()
    house.facts = {"one": "token"}
    house.run()
    assert UnitKey(HERE, "one", "p") in cleared


def test_a_failing_source_keeps_its_last_good_revision(house):
    """The error is shown and told once; nothing vanishes, and it recovers by itself."""
    house.run(a="one")
    good = house.board.read().desired
    house.folder.error = SourceUnavailable("main: no such directory")
    assert [house.run(), house.run()] == [False, False]
    state = house.board.published().sources["main"]
    assert (state.error, state.seen) == ("main: no such directory", good.revisions["main"])
    assert house.board.read().desired is good
    house.folder.error = None
    assert house.run()
    types = [event.type for (events,) in house.ledger.named("append") for event in events]
    assert types == ["source-changed", "source-failed", "source-recovered"]


def test_a_defect_of_a_source_counts_as_a_failing_source(house):
    """Whatever it raises, the last good revision counts."""
    house.run(a="one")
    house.folder.error = ZeroDivisionError("bug")
    house.run()
    assert house.board.published().sources["main"].error == "ZeroDivisionError: bug"


def test_a_source_unreadable_from_the_start_is_unknown_and_not_empty(clock, queue, unit):
    """What it declared before still counts as declared, and its removals are not to be known."""
    key = ResourceKey("Project", "", "shop")
    memory = Remembered(
        fresh=False,
        declared_by={("main", "a.yaml"): frozenset({key})},
        inventory={unit: {key: Entry(key, unit, "main")}},
    )
    house = House(clock, queue, memory)
    house.folder.error = SourceUnavailable("main: no such directory")
    assert not house.run()
    world = house.board.read()
    assert world.desired.held.sources == {"main"}
    assert world.catalog.broken == {key: "main"}
    assert house.ledger.named("save_declared") == [("main", {("main", "a.yaml"): frozenset({key})})]
    house.folder.error = None
    house.run(a="shop")
    assert house.board.read().desired.held.sources == frozenset()


def test_a_ledger_that_cannot_write_leaves_the_old_desired_state_and_the_next_look_repeats(house):
    """Nothing is half taken over."""
    house.run(a="one")
    house.ledger.failing = {"save_declared"}
    with pytest.raises(TransientError):
        house.run(a="one two")
    assert {unit.project for unit in house.board.read().units} == {"one", ""}
    house.ledger.failing = set()
    house.run()
    assert {unit.project for unit in house.board.read().units} == {"one", "two", ""}


def test_approvals_in_git_are_void_after_the_ledger_was_lost(house):
    """They may have been used before; one that comes later works."""
    house.facts = {"approvals": ("empty-it",)}
    house.run(a="one")
    (call,) = [kwargs for name, _, kwargs in house.ledger.calls if name == "commit_plan"]
    assert [(record.name, record.state) for record in call["approvals"]] == [("empty-it", "void")]
    assert house.board.read().approvals["empty-it"].state == "void"
    house.facts = {"approvals": ("empty-it", "again")}
    house.run()
    assert "again" not in house.board.read().approvals


def test_targets_are_told_before_any_unit_is_woken(house):
    """A pass never meets a target that has no driver yet."""
    seen = []
    house.refresher._retarget = lambda desired: seen.append(house.queue.depth())
    house.run(a="one")
    assert seen == [0]


def test_figures_about_sources_are_counted(house):
    """Looks by result."""
    house.run(a="one")
    house.folder.error = SourceUnavailable("x")
    house.run()
    value = house.metrics.registry.get_sample_value
    assert value("reconciler_refreshes_total", {"result": "ok"}) == 1
    assert value("reconciler_refreshes_total", {"result": "failed"}) == 1

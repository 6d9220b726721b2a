from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from reconciler import ports
from reconciler.errors import InvalidInput, LedgerDamaged, TransientError
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.status.records import DeploymentStatus, Event
from reconciler.store import schema
from reconciler.store.ledger import Ledger


def test_stands_behind_its_ports(ledger):
    """What the core calls is what it gets."""
    memory: ports.Ledger = ledger
    history: ports.History = ledger.history
    assert memory.load().fresh
    assert history.events() == []


class TestMemory:
    def test_a_new_ledger_remembers_nothing(self, ledger):
        """It is fresh, and everything in it is empty."""
        assert ledger.load() == ports.Remembered(fresh=True)

    def test_everything_comes_back(self, opened, shop):
        """After another start, each value is what was written."""
        first = opened()
        shop.fill(first)
        first.close()
        assert opened().load() == ports.Remembered(
            fresh=False,
            inventory={shop.unit: {shop.web: shop.entry}},
            progress={shop.unit: {shop.web: shop.progress}},
            approvals={"go": shop.approval},
            declared_by={("root", "a.yaml"): frozenset({shop.web.written}), ("root", "b"): frozenset()},
            conditions={shop.web: (shop.condition,), shop.unit: (shop.condition, shop.condition)},
            applied={"root": "c0ffee"},
            holds=frozenset({shop.web, shop.furniture}),
        )

    def test_is_fresh_until_a_plan_was_committed(self, opened, shop):
        """A daemon that was killed before it planned anything still knows that it knows nothing."""
        first = opened()
        first.append([shop.event()])
        first.save_applied("root", "c0ffee")
        first.close()
        second = opened()
        assert second.load().fresh
        second.commit_plan(shop.unit, inventory=None, progress={})
        assert not second.load().fresh

    def test_writing_what_is_there_writes_nothing(self, ledger, shop):
        """Everything again, except what happened once: no transaction changes anything."""
        shop.fill(ledger)
        before = ledger.commits
        ledger.commit_plan(
            shop.unit, inventory={shop.web: shop.entry}, progress={shop.web: shop.progress}, approvals=[shop.approval]
        )
        ledger.commit_plan(shop.unit, inventory=None, progress={shop.web: shop.progress})
        ledger.save_declared("root", {("root", "a.yaml"): frozenset({shop.web.written}), ("root", "b"): frozenset()})
        ledger.save_conditions({shop.web: (shop.condition,), shop.unit: (shop.condition, shop.condition)})
        ledger.save_applied("root", "c0ffee")
        ledger.save_holds(frozenset({shop.web, shop.furniture}))
        ledger.append([])
        ledger.put_deployment(shop.deployment())
        assert ledger.commits == before

    def test_a_changed_row_is_one_commit(self, ledger, shop):
        """Only what differs is written."""
        shop.fill(ledger)
        before = ledger.commits
        ledger.save_applied("root", "beef")
        assert ledger.commits == before + 1

    def test_an_absent_inventory_is_left_alone(self, ledger, shop):
        """None says nothing; an empty one says that everything is gone."""
        shop.fill(ledger)
        ledger.commit_plan(shop.unit, inventory=None, progress={})
        assert ledger.load().inventory == {shop.unit: {shop.web: shop.entry}}
        assert ledger.load().progress == {}
        ledger.commit_plan(shop.unit, inventory={}, progress={})
        assert ledger.load().inventory == {}

    def test_units_do_not_touch_each_other(self, ledger, shop):
        """One unit's plan replaces one unit's memory, also where names are alike."""
        other = UnitKey(server("here"), "shop", "staging")
        entry = Entry(shop.web, other)
        shop.fill(ledger)
        ledger.commit_plan(other, inventory={shop.web: entry}, progress={})
        ledger.commit_plan(other, inventory={}, progress={})
        assert ledger.load().inventory == {shop.unit: {shop.web: shop.entry}}

    def test_an_approval_only_grows(self, ledger, shop):
        """The first record stays; each unit adds itself, in whatever order they write."""
        mine = replace(shop.approval, used=frozenset({shop.unit}))
        theirs = replace(shop.approval, identities=frozenset(), used=frozenset({shop.furniture}))
        ledger.commit_plan(shop.unit, inventory=None, progress={}, approvals=[mine])
        ledger.commit_plan(shop.furniture, inventory=None, progress={}, approvals=[theirs])
        assert ledger.load().approvals == {"go": replace(mine, used=frozenset({shop.unit, shop.furniture}))}

    def test_a_source_replaces_only_its_own_paths(self, ledger, shop):
        """Another source's declarations stay, and cannot be written by mistake."""
        ledger.save_declared("a", {("a", "x"): frozenset({shop.web})})
        ledger.save_declared("b", {("b", "x"): frozenset({shop.web})})
        ledger.save_declared("a", {})
        assert ledger.load().declared_by == {("b", "x"): frozenset({shop.web})}
        with pytest.raises(InvalidInput, match="declares for another source"):
            ledger.save_declared("a", {("b", "y"): frozenset()})

    def test_an_empty_tuple_forgets_conditions(self, ledger, shop):
        """The order of conditions is kept, and none means none."""
        ready, later = shop.condition, replace(shop.condition, reason="Later", since=9)
        ledger.save_conditions({shop.web: (later, ready), shop.unit: (ready,)})
        ledger.save_conditions({shop.unit: ()})
        assert ledger.load().conditions == {shop.web: (later, ready)}

    def test_an_entry_under_another_name_is_a_defect(self, ledger, shop):
        """What the map says and what the entry says must agree."""
        with pytest.raises(InvalidInput, match="a defect"):
            ledger.commit_plan(shop.furniture, inventory={shop.web: shop.entry}, progress={})

    def test_a_failed_write_leaves_nothing(self, ledger, shop):
        """A plan is on record whole or not at all."""
        bad = replace(shop.entry, key=ResourceKey("Resource", "shop", "bad"), source=None)
        with pytest.raises(InvalidInput, match="a value does not fit the ledger"):
            ledger.commit_plan(shop.unit, inventory={shop.web: shop.entry, bad.key: bad}, progress={})
        assert ledger.load() == ports.Remembered()


class TestFile:
    def test_is_its_owners_from_the_start(self, ledger, shop, path):
        """The file, its log and its directory are open to nobody else, whatever the umask."""
        shop.fill(ledger)
        modes = {place.name: stat.S_IMODE(place.stat().st_mode) for place in path.parent.iterdir()}
        assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_is_tightened_when_somebody_opened_it_up(self, opened, path):
        """A mode that lets others read is taken back."""
        opened().close()
        path.chmod(0o644)
        opened()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_log_without_its_ledger_is_not_played(self, opened, shop, path):
        """When only the ledger was removed, what its log still holds belongs to no one."""
        first = opened()
        shop.fill(first)
        log = path.with_name("ledger.db-wal").read_bytes()
        first.close()
        path.unlink()
        path.with_name("ledger.db-wal").write_bytes(log)
        assert opened().load() == ports.Remembered()

    def test_a_place_that_cannot_be_made_is_passing_trouble(self, tmp_path):
        """A file where a directory should be is said with its path."""
        (tmp_path / "state").write_text("x")
        with pytest.raises(TransientError, match=r"ledger\.db: cannot be made"):
            Ledger.open(tmp_path / "state/ledger.db")

    def test_after_closing_nothing_is_written(self, ledger, shop):
        """A write that comes too late is refused, and closing twice is fine."""
        ledger.close()
        with pytest.raises(TransientError, match="is closed"):
            ledger.append([shop.event()])
        ledger.close()


class TestEvents:
    def test_are_numbered_and_read_newest_first(self, ledger, shop):
        """Ids ascend; a cursor goes on where a page ended."""
        ledger.append([shop.event(1.0), shop.event(2.0)])
        ledger.append([shop.event(3.0, id=77)])
        assert [(event.id, event.at) for event in ledger.history.events()] == [(3, 3.0), (2, 2.0), (1, 1.0)]
        assert [event.id for event in ledger.history.events(limit=1, before=3)] == [2]
        assert ledger.history.events(limit=0) == []

    def test_come_back_as_they_were(self, ledger, shop):
        """Also those that speak of nothing in particular, and those with text that is no text."""
        plain = Event(1.0, "daemon-started", "caf\udce9 <b>\0", severity="warning", revision="c0ffee")
        ledger.append([shop.event(), plain])
        assert ledger.history.events() == [replace(plain, id=2, message="caf\\udce9 <b>\0"), shop.event(id=1)]

    def test_are_chosen_by_key_type_and_time(self, ledger, shop):
        """A key without an environment matches every one."""
        staging = shop.web.written.within("staging")
        ledger.append([
            shop.event(1.0),
            shop.event(2.0, key=staging, type="drift-repaired"),
            shop.event(3.0, key=shop.web.written),
            shop.event(4.0, key=replace(shop.web, name="worker")),
            shop.event(5.0, key=None),
        ])  # fmt: skip
        read = ledger.history.events
        assert [event.id for event in read(key=shop.web.written)] == [3, 2, 1]
        assert [event.id for event in read(key=staging)] == [2]
        assert [event.id for event in read(type="drift-repaired")] == [2]
        assert [event.id for event in read(since=4.0)] == [5, 4]
        assert [event.id for event in read(key=shop.web.written, since=2.0, before=3)] == [2]


class TestPruning:
    def test_old_events_go_and_deployments_stay(self, ledger, shop):
        """Thirty days of events are kept; what was deployed is kept for good."""
        now = 100 * 86400.0
        ledger.append([shop.event(now - 31 * 86400), shop.event(now - 29 * 86400)])
        ledger.put_deployment(shop.deployment())
        assert ledger.prune(now) == 1
        assert [event.id for event in ledger.history.events()] == [2]
        assert ledger.history.deployment("d1") == shop.deployment()
        before = ledger.commits
        assert ledger.prune(now) == 0
        assert ledger.commits == before

    def test_ids_are_never_used_again(self, opened, shop):
        """A cursor of yesterday does not point to today's events, also after a restart."""
        first = opened()
        first.append([shop.event(1.0), shop.event(2.0)])
        assert first.prune(10**9) == 2
        first.close()
        second = opened()
        second.append([shop.event(3.0)])
        assert [event.id for event in second.history.events()] == [3]

    def test_the_size_is_bounded(self, ledger, shop, path):
        """Over the limit the oldest go, in steps, until the rest fits; the file shrinks."""
        for _ in range(3):
            ledger.append([shop.event(1.0, message="x" * 300) for _ in range(4000)])
        assert ledger.prune(2.0, limit=2_500_000) == 10_000
        left = ledger.history.events(limit=20_000)
        assert [left[-1].id, left[0].id] == [10_001, 12_000]
        ledger.close()
        assert path.stat().st_size < 2_500_000

    def test_what_cannot_shrink_ends(self, ledger, shop):
        """With no events left the limit is out of reach, and that is that."""
        ledger.append([shop.event()])
        assert ledger.prune(0.0, limit=1) == 1


class TestDeployments:
    def test_their_end_can_be_told(self, ledger, shop):
        """Status, end and message of a known one may change."""
        ledger.put_deployment(shop.deployment())
        done = replace(shop.deployment(), status=DeploymentStatus.FAILED, finished_at=9.0, message="exit 1")
        ledger.put_deployment(done)
        assert ledger.history.deployment("d1") == done

    @pytest.mark.parametrize(
        "change", [{"snapshot": {"env": {}}}, {"generation": "h"}, {"started_at": 6.0}, {"release": "s"}]
    )
    def test_what_was_deployed_never_changes(self, ledger, shop, change):
        """The field that differs is named, and nothing is written."""
        ledger.put_deployment(shop.deployment())
        with pytest.raises(InvalidInput, match=f"d1: {next(iter(change))} cannot change"):
            ledger.put_deployment(replace(shop.deployment(), message="new", **change))
        assert ledger.history.deployment("d1") == shop.deployment()

    def test_the_database_itself_refuses_a_change(self, ledger, shop, path):
        """Also a hand at the file cannot rewrite a snapshot by mistake."""
        ledger.put_deployment(shop.deployment())
        with (
            closing(sqlite3.connect(path)) as connection,
            pytest.raises(sqlite3.IntegrityError, match="what was deployed never changes"),
        ):
            connection.execute("UPDATE deployments SET snapshot = '{}'")

    def test_the_order_of_a_snapshots_keys_is_nothing(self, ledger, shop):
        """The same snapshot, written in another order, is the same."""
        ledger.put_deployment(shop.deployment())
        turned = {"ports": (1, 2), "none": None, "env": {"A": "1", "B": "2"}}
        before = ledger.commits
        ledger.put_deployment(shop.deployment(snapshot=turned))
        assert ledger.commits == before

    def test_a_snapshot_is_plain_json(self, ledger, shop):
        """A value that is not, such as a secret, is refused by its type and never shown."""
        with pytest.raises(InvalidInput, match="not plain JSON"):
            ledger.put_deployment(shop.deployment(snapshot={"x": object()}))

    def test_are_read_newest_first(self, ledger, shop):
        """By key, status and cursor; a cursor that is not there is an error."""
        other = replace(shop.web, environment="staging")
        ledger.put_deployment(shop.deployment("a"))
        ledger.put_deployment(shop.deployment("b", key=other, status=DeploymentStatus.FAILED))
        ledger.put_deployment(shop.deployment("c"))
        ledger.put_deployment(shop.deployment("a", message="later"))
        read = ledger.history.deployments
        assert [found.id for found in read()] == ["c", "b", "a"]
        assert [found.id for found in read(before="c", limit=1)] == ["b"]
        assert [found.id for found in read(key=shop.web.written)] == ["c", "b", "a"]
        assert [found.id for found in read(key=other)] == ["b"]
        assert [found.id for found in read(status="failed")] == ["b"]
        assert ledger.history.deployment("gone") is None
        with pytest.raises(InvalidInput, match="there is no deployment 'gone'"):
            read(before="gone")


class TestConcurrency:
    def test_many_threads_write_at_once(self, ledger, shop):
        """Nothing is lost and nothing is locked."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda at: ledger.append([shop.event(float(at))]), range(200)))
        assert sorted(event.at for event in ledger.history.events(limit=300)) == [float(at) for at in range(200)]

    def test_writes_that_wait_share_a_commit(self, ledger, shop):
        """While the writer is busy others queue up, and are committed together."""
        gate, started = threading.Event(), threading.Event()

        def busy(connection):
            started.set()
            gate.wait(30)

        with ThreadPoolExecutor(9) as pool:
            first = pool.submit(ledger._writer.write, busy)
            assert started.wait(30)
            waiting = [pool.submit(ledger.append, [shop.event(float(at))]) for at in range(8)]
            while ledger._writer._waiting.qsize() < 8:
                pass
            gate.set()
            for each in [first, *waiting]:
                each.result(30)
        assert ledger.commits == 1
        assert len(ledger.history.events()) == 8

    def test_one_bad_write_does_not_take_its_neighbours(self, ledger, shop):
        """In a shared commit each write fails for itself, by our hand or by the database's."""
        gate, started = threading.Event(), threading.Event()

        def busy(connection):
            started.set()
            gate.wait(30)

        ledger.put_deployment(shop.deployment())
        with ThreadPoolExecutor(5) as pool:
            pool.submit(ledger._writer.write, busy)
            assert started.wait(30)
            refused = pool.submit(ledger.put_deployment, shop.deployment(release="other"))
            broken = pool.submit(ledger._writer.write, lambda connection: connection.execute("INSERT INTO nowhere"))
            good = [pool.submit(ledger.append, [shop.event(float(at))]) for at in range(2)]
            while ledger._writer._waiting.qsize() < 4:
                pass
            gate.set()
            assert isinstance(refused.exception(30), InvalidInput)
            assert isinstance(broken.exception(30), LedgerDamaged)
            for each in good:
                each.result(30)
        assert len(ledger.history.events()) == 2

    def test_a_write_that_fails_late_is_undone_alone(self, ledger, shop):
        """What it changed before it failed is not committed with its neighbours' changes."""
        gate, started = threading.Event(), threading.Event()

        def busy(connection):
            started.set()
            gate.wait(30)

        def late(connection):
            connection.execute("INSERT INTO applied VALUES ('root', 'half', 0)")
            raise InvalidInput("too late")

        with ThreadPoolExecutor(3) as pool:
            pool.submit(ledger._writer.write, busy)
            assert started.wait(30)
            failing = pool.submit(ledger._writer.write, late)
            good = pool.submit(ledger.append, [shop.event()])
            while ledger._writer._waiting.qsize() < 2:
                pass
            gate.set()
            assert isinstance(failing.exception(30), InvalidInput)
            good.result(30)
        assert ledger.load().applied == {}
        assert len(ledger.history.events()) == 1

    def test_readers_do_not_wait_for_the_writer(self, ledger, shop):
        """In the middle of a write, readers see what was before it."""
        ledger.append([shop.event()])
        gate, started = threading.Event(), threading.Event()

        def busy(connection):
            connection.execute("DELETE FROM events")
            started.set()
            gate.wait(30)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(ledger._writer.write, busy)
            assert started.wait(30)
            assert len(ledger.history.events()) == 1
            assert ledger.load().fresh
            gate.set()
            writing.result(30)
        assert ledger.history.events() == []


class TestVersions:
    def test_a_newer_ledger_is_left_alone(self, opened, path):
        """Its content means something that this version does not know."""
        opened().close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
        with pytest.raises(LedgerDamaged, match="newer than"):
            opened()

    def test_a_later_step_is_run_once_and_keeps_what_is_there(self, opened, shop, monkeypatch):
        """Steps are numbered: an older ledger gets those it lacks."""
        first = opened()
        shop.fill(first)
        first.close()
        later = (*schema.MIGRATIONS, "CREATE TABLE later (x INTEGER) STRICT;")
        monkeypatch.setattr("reconciler.store.database.MIGRATIONS", later)
        opened().close()
        assert opened().load().applied == {"root": "c0ffee"}

    def test_a_step_that_fails_changes_nothing(self, opened, shop, monkeypatch):
        """Half a step would be neither version."""
        opened().close()
        later = (*schema.MIGRATIONS, "CREATE TABLE later (x INTEGER) STRICT; CREATE TABLE inventory (x);")
        with monkeypatch.context() as patch:
            patch.setattr("reconciler.store.database.MIGRATIONS", later)
            with pytest.raises(LedgerDamaged):
                opened()
        assert opened().load().fresh

    @pytest.mark.parametrize("content", [b"", b"hello", b"x" * 8192])
    def test_a_file_that_is_no_ledger_is_not_touched(self, opened, path, content):
        """Also an empty one: we never leave an empty file behind."""
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(
            LedgerDamaged, match=r"ledger\.db: the ledger is damaged: .*; put a copy back, or move it away"
        ):
            opened()
        assert path.read_bytes() == content

    def test_somebody_elses_database_is_not_touched(self, opened, path):
        """A database without our mark is not ours to change."""
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE things (x)")
        with pytest.raises(LedgerDamaged, match="not a ledger of ours"):
            opened()

    def test_missing_parts_are_noticed(self, opened, path):
        """A dropped trigger or table is damage, though the file itself is sound."""
        opened().close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TRIGGER deployments_are_history")
        with pytest.raises(LedgerDamaged, match="its tables are not those of a ledger"):
            opened()


def test_another_program_that_holds_it_is_passing_trouble(ledger, shop, path, monkeypatch):
    """A lock that stays is told with what to do; afterwards writing goes on."""
    ledger._writer.write(lambda connection: connection.execute("PRAGMA busy_timeout = 10") and None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="another program holds it"):
            ledger.append([shop.event()])
        other.execute("ROLLBACK")
    ledger.append([shop.event()])
    assert [event.id for event in ledger.history.events()] == [1]

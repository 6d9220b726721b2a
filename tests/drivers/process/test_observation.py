"""What is seen, and what is unknown rather than absent."""

import os

import pytest

from reconciler.errors import TransientError, Unreachable
from reconciler.observed.snapshot import Collection, State
from reconciler.plan.actions import AddressSpec, InstanceSpec, Verb
from tests.drivers.process.bench import KEY, UNIT

pytestmark = pytest.mark.real


@pytest.mark.parametrize("content", ["", "{", '{"mark": 1}'])
def test_one_damaged_record(bench, content):
    """The others are seen, the collection is unknown, and it says which one it is."""
    bench.create(bench.workload(), "good")
    bench.create(bench.workload(), "bad")
    (bench.folder("bad") / "record.json").write_text(content)
    seen = bench.driver.observe()
    assert list(seen.instances) == ["good"]
    assert seen.unknown == {Collection.INSTANCES} and "bad" in seen.trouble


def test_a_damaged_one_is_not_made_again(bench):
    """It may be running; nothing is concluded from what cannot be read."""
    web = bench.create(bench.workload())
    (bench.folder() / "record.json").write_text("{")
    bench.driver.watch(bench.count_change)
    for verb, payload in ((Verb.CREATE, InstanceSpec(bench.workload(), 0)), (Verb.REMOVE, None)):
        with pytest.raises(TransientError, match="damaged"):
            bench.act(verb, "web-0", payload, expects=web.uid)
    assert bench.run_of(bench.folder()).pid == web.pid


@pytest.mark.parametrize("collection", ["instances", "volumes", "addresses", "jobs", "artifacts", "verdicts"])
def test_a_collection_that_is_gone(bench, collection):
    """A disk that is not mounted holds nothing, which is not the same as having nothing."""
    os.rename(bench.root / collection, bench.root / "elsewhere")
    seen = bench.driver.observe()
    assert seen.unknown == {Collection(collection)} and collection in seen.trouble
    os.rename(bench.root / "elsewhere", bench.root / collection)


def test_nothing_can_be_read(bench):
    """Then the target is out of reach."""
    os.rename(bench.root, bench.root.parent / "elsewhere")
    with pytest.raises(Unreachable):
        bench.driver.observe()
    os.rename(bench.root.parent / "elsewhere", bench.root)


def test_an_error_of_the_disk_is_worth_another_try(bench):
    """No exception of the system's gets out, and the place is named."""
    os.rename(bench.root / "addresses", bench.root / "elsewhere")
    with pytest.raises(TransientError, match="addresses"):
        bench.act(Verb.RESERVE_ADDRESS, "a", AddressSpec(KEY, UNIT, "http", 0, (28000, 28999)))
    os.rename(bench.root / "elsewhere", bench.root / "addresses")


def test_a_record_of_a_newer_version(bench):
    """It is read as far as it is understood."""
    web = bench.create(bench.workload())
    path = bench.folder() / "record.json"
    path.write_text(path.read_text().replace("{", '{"colour": {"deep": [1]},', 1))
    assert bench.seen().uid == web.uid


def test_looking_writes_nothing(bench):
    """However often."""
    bench.create(bench.workload())
    before = {path: path.stat().st_mtime_ns for path in bench.root.rglob("*.json")}
    for _ in range(3):
        bench.driver.observe()
    assert {path: path.stat().st_mtime_ns for path in bench.root.rglob("*.json")} == before


def test_a_quiet_world_stays_as_it_is(watched):
    """Looks at what did not change are equal, but for their time."""
    watched.create(watched.workload())
    watched.until(lambda: watched.seen().good)
    first, second = watched.driver.observe(), watched.driver.observe()
    assert first.instances == second.instances


def test_states_without_a_daemon(bench):
    """Created, running, stopped: by the record and the kernel alone."""
    web = bench.create(bench.workload())
    assert web.state is State.RUNNING
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    assert bench.seen(driver=bench.another()).state is State.STOPPED
    record, run = bench.folder() / "record.json", bench.folder() / "run.json"
    record.write_text(record.read_text().replace('"intent":"stop"', '"intent":"run"'))
    assert bench.seen().state is State.EXITED
    run.unlink()
    assert bench.seen().state is State.CREATED

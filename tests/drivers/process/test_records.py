"""Records: whole or not at all, from any version, kept while they are the same."""

import json

import pytest

from reconciler.drivers.process import durable, record
from reconciler.drivers.process.layout import Layout, checked_name
from reconciler.drivers.process.record import AddressRecord, Damaged, Mark, Reader, RunRecord
from reconciler.errors import InvalidInput
from reconciler.manifests.identity import ResourceKey
from tests.drivers.process.bench import KEY, UNIT

ADDRESS = AddressRecord(Mark("address", "a", "me"), KEY, UNIT, "http", 0, "127.0.0.1", 20000)


def test_a_record_comes_back_as_it_went(tmp_path):
    """Names within names included."""
    record.write(tmp_path / "a.json", ADDRESS)
    assert Reader().read(tmp_path / "a.json", AddressRecord) == ADDRESS
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_beside_it(tmp_path):
    """Also not after a write that failed."""
    record.write(tmp_path / "a.json", ADDRESS)
    (tmp_path / "b.json").mkdir()
    with pytest.raises(OSError):
        durable.write(tmp_path / "b.json", b"{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_a_newer_version_may_know_more(tmp_path):
    """Its fields are skipped."""
    (tmp_path / "run.json").write_text(json.dumps({"pid": 1, "start": 2, "boot": "b", "colour": "blue"}))
    assert Reader().read(tmp_path / "run.json", RunRecord) == RunRecord(1, 2, "b")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "many"}'])
def test_a_damaged_record_is_not_an_absent_one(tmp_path, content):
    """It raises, and does not quote what it read."""
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(Damaged, match=r"run\.json") as caught:
        Reader().read(tmp_path / "run.json", RunRecord)
    assert "many" not in str(caught.value)


def test_an_absent_record(tmp_path):
    """Nothing is there, and nothing is known."""
    assert Reader().read(tmp_path / "run.json", RunRecord) is None


def test_the_same_file_is_parsed_once(tmp_path):
    """And a changed one again."""
    reader, path = Reader(), tmp_path / "run.json"
    record.write(path, RunRecord(1, 2, "b"))
    first = reader.read(path, RunRecord)
    assert reader.read(path, RunRecord) is first
    record.write(path, RunRecord(1, 3, "b"))
    assert reader.read(path, RunRecord) == RunRecord(1, 3, "b")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "a\0b", "a" * 201])
def test_names_that_could_lead_elsewhere(name):
    """A name is one component of a path."""
    with pytest.raises(InvalidInput):
        checked_name(name)


def test_verdicts_of_different_resources_lie_apart(tmp_path):
    """However their names are put together."""
    keys = [ResourceKey("A", "b", "c", "d"), ResourceKey("A", "b,c", "d", ""), ResourceKey("A", "b", "d", "c/d")]
    places = {Layout(tmp_path).verdict(key) for key in keys}
    assert len(places) == 3 and {place.parent for place in places} == {tmp_path / "verdicts"}

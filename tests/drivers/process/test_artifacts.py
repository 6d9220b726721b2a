"""Trees on disk: exactly what was named, read-only, complete or not there."""

from dataclasses import replace

import pytest

from reconciler.desired.objects import Tree
from reconciler.drivers.process.artifacts import checked_path, verified
from reconciler.errors import Conflict, InvalidInput, SourceUnavailable
from reconciler.plan.actions import Action, InstanceSpec, Verb


def export(bench, tree):
    bench.act(Verb.EXPORT_TREE, tree.id, tree)
    return bench.root / "artifacts" / tree.id


def test_files_and_modes(bench):
    """Git's executable bit stays, nothing may be written."""
    place = export(bench, bench.tree_of({"bin/run": b"#!", "doc/a/b.txt": b"b"}, executable=["bin/run"]))
    modes = {str(p.relative_to(place)): p.stat().st_mode & 0o777 for p in [place, *place.rglob("*")]}
    assert modes == {".": 0o555, "bin": 0o555, "bin/run": 0o555, "doc": 0o555, "doc/a": 0o555, "doc/a/b.txt": 0o444}
    assert (place / "doc/a/b.txt").read_bytes() == b"b"


def test_more_files_than_fit_in_one_batch(bench):
    """None is lost at the seams."""
    place = export(bench, bench.tree_of({f"{number}.txt": b"%d" % number for number in range(450)}))
    assert len(list(place.iterdir())) == 450


def test_a_blob_that_is_not_what_it_says(bench):
    """Nothing is left of a tree that cannot be trusted."""
    tree = bench.tree_of({"a": b"good"})
    bench.blobs.held[tree.files[0][1]] = b"bad"
    with pytest.raises(SourceUnavailable, match="other content"):
        export(bench, tree)
    assert list((bench.root / "artifacts").iterdir()) == []


def test_a_blob_under_a_longer_digest():
    """Repositories may name by SHA-256."""
    name = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
    assert verified({name: b""}, name) == b""


def test_a_blob_that_was_not_delivered():
    """Fewer than asked for is no tree."""
    with pytest.raises(SourceUnavailable, match="not delivered"):
        verified({}, "a" * 40)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a/", "a\0"])
def test_paths_that_leave_the_tree(path):
    """A tree writes below itself only."""
    with pytest.raises(InvalidInput):
        checked_path(path)


def test_what_is_run_from_is_not_removed(bench):
    """Nor what a waiting job would run in."""
    bench.create_job(bench.workload())
    with pytest.raises(Conflict, match="job"):
        bench.act(Verb.REMOVE_ARTIFACT, bench.tree.id)
    assert bench.tree.id in bench.driver.observe().artifacts


def test_half_made_trees_are_swept(bench):
    """By the next daemon that supervises, and only those."""
    export(bench, bench.tree)
    for left in (".export-1", ".build-1"):
        (bench.root / "artifacts" / left / "deep").mkdir(parents=True)
    (bench.root / "tmp" / "web.1").mkdir()
    bench.another(watch=True)
    assert [path.name for path in (bench.root / "artifacts").iterdir()] == [bench.tree.id]
    assert list((bench.root / "tmp").iterdir()) == []


def test_an_image_does_not_run_here(bench):
    """It says what does."""
    workload = bench.workload()
    image = replace(
        workload, template=replace(workload.template, artifact=replace(workload.template.artifact, kind="image"))
    )
    with pytest.raises(InvalidInput, match="local-folder"):
        bench.create(image)


def test_an_instance_waits_for_its_artifact(bench):
    """What is not there yet is worth another try, and leaves nothing behind."""
    bench.tree = Tree("missing", "source", ())
    with pytest.raises(Conflict, match="missing"):
        bench.driver.apply(_create(bench))
    assert list((bench.root / "tmp").iterdir()) == []
    assert bench.driver.observe().instances == {}


def _create(bench):
    workload = bench.workload()
    return Action(bench.unit, workload.key, Verb.CREATE, "web-0", payload=InstanceSpec(workload, 0))

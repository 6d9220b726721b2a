"""Data: made, named, kept, and deleted only with proof."""

import os
from pathlib import Path

import pytest

from reconciler.desired.objects import Mount, VolumeObject
from reconciler.errors import Conflict, ExistsNotOurs, InvalidInput
from reconciler.manifests.identity import ResourceKey
from reconciler.plan.actions import Verb
from tests.drivers.process.bench import UNIT, Bench

MEDIA = ResourceKey("Volume", "shop", "media", "production")


def make(bench, name="media-1", driver=None, **volume):
    bench.act(Verb.CREATE_VOLUME, name, VolumeObject(MEDIA, UNIT, name, **volume), key=MEDIA, driver=driver)
    return bench.driver.observe().volumes[name]


def delete(bench, expects):
    bench.act(Verb.DELETE_VOLUME, "media-1", key=MEDIA, expects=expects)


def test_its_place_is_predictable(bench):
    """And holds nothing of ours."""
    volume = make(bench)
    assert volume.path == str(bench.root / "volumes/shop/production/media")
    assert os.listdir(volume.path) == []


def test_its_user_gets_there(place):
    """Whatever umask the daemon runs with."""
    before = os.umask(0o077)
    try:
        made = Bench(place / "state")
        path = Path(make(made).path)
    finally:
        os.umask(before)
    made.clean()
    ways = [path.parent, path.parent.parent, made.root / "volumes", made.root / "artifacts", made.root / "instances"]
    assert [way.stat().st_mode & 0o777 for way in ways] == [0o711] * 5
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_folder_without_a_mark_is_somebody_elses(bench):
    """It is shown as such, and neither taken over nor deleted."""
    place = bench.root / "volumes/shop/production/media"
    place.mkdir(parents=True)
    (place / "precious").touch()
    with pytest.raises(ExistsNotOurs, match="move it away"):
        make(bench)
    delete(bench, "any")
    assert [(v.path, v.ours) for v in bench.driver.observe().volumes.values()] == [(str(place), False)]
    assert (place / "precious").exists()


def test_another_daemons_volume(bench):
    """Its mark names another owner."""
    bench.act(
        Verb.CREATE_VOLUME, "media-1", VolumeObject(MEDIA, UNIT, "media-1"), key=MEDIA,
        driver=bench.another(instance_id="another"),
    )  # fmt: skip
    with pytest.raises(ExistsNotOurs):
        make(bench)
    delete(bench, "any")
    assert (bench.root / "volumes/shop/production/media").is_dir()


def test_another_uid(bench):
    """Data that was made anew is not what somebody approved of."""
    volume = make(bench)
    with pytest.raises(Conflict):
        delete(bench, "another")
    assert os.path.isdir(volume.path)


def test_a_bind_mount_is_named_only(bench, place):
    """It must be there, and stays when it is forgotten."""
    with pytest.raises(InvalidInput, match="create it there first"):
        make(bench, bind_path=str(place / "data"))
    (place / "data").mkdir()
    volume = make(bench, bind_path=str(place / "data"))
    assert volume.path == str(place / "data")
    delete(bench, volume.uid)
    assert (place / "data").is_dir() and bench.driver.observe().volumes == {}


def test_a_lost_folder_is_not_a_volume(bench):
    """Its mark alone stands for nothing, and it can be made again."""
    volume = make(bench)
    os.rmdir(volume.path)
    assert bench.driver.observe().volumes == {}
    assert make(bench).uid != volume.uid


@pytest.mark.real
def test_what_runs_keeps_its_data(bench):
    """Deleted only when nobody uses it; an instance is told the real place."""
    volume = make(bench)
    source = "import os, time\nopen(os.environ['DATA'] + '/x', 'w')\ntime.sleep(60)"
    web = bench.create(bench.workload(source=source, mounts=(Mount("/srv", "media-1", env="DATA"),)))
    bench.until(lambda: os.listdir(volume.path) == ["x"])
    with pytest.raises(Conflict, match="uses it"):
        delete(bench, volume.uid)
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    delete(bench, volume.uid)
    assert not os.path.exists(volume.path)

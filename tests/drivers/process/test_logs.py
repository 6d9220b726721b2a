"""Output: appended, rotated, read from its end, followed."""

import os
import threading

import pytest

from reconciler.drivers.process import logs
from reconciler.drivers.process.record import Reader
from reconciler.plan.actions import Verb
from tests.drivers.process.bench import python


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "log").write_text("".join(f"{number}\n" for number in range(10)))
    return tmp_path


def read(folder, lines, *, follow=False, ended=None):
    return logs.read(folder, Reader(), lines=lines, follow=follow, ended=ended or threading.Event())


@pytest.mark.parametrize(("lines", "seen"), [(0, []), (2, ["8", "9"]), (99, [str(n) for n in range(10)])])
def test_the_last_lines(folder, lines, seen):
    """Oldest first, as many as there are."""
    assert list(read(folder, lines)) == seen


def test_lines_longer_than_a_block(folder):
    """Read back as far as it takes."""
    text = "x" * (3 * logs.BLOCK)
    (folder / "log").write_text(f"a\n{text}\nb\n")
    assert list(read(folder, 2)) == [text, "b"]


def test_rotation_keeps_three(folder):
    """The oldest goes; the file itself stays the same one, empty."""
    before = (folder / "log").stat().st_ino
    for number in range(5):
        (folder / "log").write_text(f"{number}\n")
        assert logs.rotate(folder, largest=1)
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert kept == {"log": "", "log.1": "4\n", "log.2": "3\n", "log.3": "2\n"}
    assert (folder / "log").stat().st_ino == before
    assert list(read(folder, 2)) == ["3", "4"]


def test_a_small_log_stays(folder):
    """Nothing is rotated before its time, nor where nothing is."""
    assert not logs.rotate(folder)
    (folder / "log").unlink()
    assert not logs.rotate(folder)


def test_followed_through_a_rotation(folder):
    """What comes after it is not missed."""
    lines = read(folder, 1, follow=True)
    assert next(lines) == "9"
    with (folder / "log").open("a") as log:
        log.write("ten\nhalf")
    assert next(lines) == "ten"
    logs.rotate(folder, largest=1)
    (folder / "log").write_text("new\n")
    assert next(lines) == "new"


def test_a_quiet_log_lets_its_reader_leave(folder, monkeypatch):
    """An empty line now and then, and an end when it is closed."""
    monkeypatch.setattr(logs, "POLL", 0.001)
    lines = read(folder, 0, follow=True)
    assert next(lines) == ""
    lines.close()
    assert list(lines) == []


@pytest.mark.parametrize("how", ["ended", "removed"])
def test_following_ends(folder, how, monkeypatch):
    """With the driver, and with the log."""
    monkeypatch.setattr(logs, "POLL", 0.001)
    ended = threading.Event()
    lines = read(folder, 1, follow=True, ended=ended)
    ended.set() if how == "ended" else (folder / "log").unlink()
    assert list(lines) == ["9"]


@pytest.mark.real
def test_a_program_writes_on_after_a_rotation(watched, monkeypatch):
    """It holds the same file open, and goes on at its new end."""
    monkeypatch.setattr(logs, "LARGEST", 100)
    source = "import time\nwhile True:\n    print('x' * 50, flush=True)\n    time.sleep(0.01)"
    watched.create(watched.workload(command=python(source)))
    log = watched.folder() / "log"
    watched.until(lambda: log.stat().st_size > 200)
    assert logs.rotate(watched.folder(), largest=100)
    watched.until(lambda: 50 < log.stat().st_size)
    assert b"\0" not in log.read_bytes()


@pytest.mark.real
def test_the_supervisor_rotates(bench, monkeypatch):
    """Without anybody asking."""
    monkeypatch.setattr("reconciler.drivers.process.supervise.ROTATION", 0.05)
    monkeypatch.setattr("reconciler.drivers.process.logs.rotate.__defaults__", (100,))
    bench.driver.watch(bench.count_change)
    bench.create(bench.workload(command=python("import time\nprint('x' * 500, flush=True)\ntime.sleep(60)")))
    bench.until((bench.folder() / "log.1").exists)


@pytest.mark.real
def test_what_was_removed_keeps_its_last_words(bench):
    """Whoever asks why a candidate failed finds what it said."""
    workload = bench.workload(command=python("import time; print('I give up', flush=True); time.sleep(60)"))
    made = bench.create(workload)
    bench.until(lambda: list(bench.driver.logs("web-0", tail=5)) == ["I give up"])
    bench.act(Verb.REMOVE, "web-0", expects=made.uid)
    assert bench.driver.observe().instances == {}
    assert list(bench.driver.logs("web-0", tail=5)) == ["I give up"]


def test_only_the_newest_last_words_are_kept(folder, tmp_path):
    """A flapping release does not fill the disk."""
    departed = tmp_path / "departed"
    departed.mkdir()
    for number in range(logs.DEPARTED + 3):
        gone = tmp_path / f"web-{number}"
        gone.mkdir()
        (gone / "log").write_text("bye\n")
        logs.keep_last_words(gone, departed, Reader())
        os.utime(departed / gone.name, (number, number))
    assert len(list(departed.iterdir())) == logs.DEPARTED
    assert not (departed / "web-0").exists()

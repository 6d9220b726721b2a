"""demo: from nothing to running and back to nothing, for whoever has only installed the package."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.cli.demo.stage import DIRECT, runs

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "reconciler", "demo"]


@contextmanager
def demo(*arguments: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One that says what to try; and all that it said until then. Its temporary folders lie in ``folder``."""
    started = subprocess.Popen(
        [*DEMO, *arguments], env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True
    )
    said: list[str] = []
    try:
        assert started.stdout is not None
        for line in started.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        yield started, "".join(said)
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGINT)
        started.communicate(timeout=100)


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: a socket's is limited."""
    folder = Path(tempfile.mkdtemp(prefix="rd-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pids(said: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"Ready   pid (\d+)", said)]


def page(url: str) -> str:
    """What a browser would show: every name below localhost is this machine, whatever its resolver knows."""
    place = urlsplit(url)
    asked = urllib.request.Request(f"http://127.0.0.1:{place.port}{place.path}", headers={"Host": place.netloc})
    with DIRECT.open(asked, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.real
def test_a_visit_leaves_nothing_behind(place):
    """Four resources answer, and one interrupt ends them and removes the folder."""
    with demo(folder=place) as (process, said):
        assert len(pids(said)) >= 4 and all(map(runs, pids(said)))
        assert page(re.findall(r"production/web .* (http://\S+)", said)[0]).startswith("Hello! This is production")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=100)
    assert (process.returncode, "Nothing is left behind." in rest) == (0, True)
    assert not any(map(runs, pids(said)))
    assert list(place.iterdir()) == []


@pytest.mark.real
def test_a_kept_one_goes_on(place):
    """With a folder of its own the programs outlive the daemon, and ``--clean`` ends them."""
    folder = place / "kept"
    with demo("--state", str(folder), folder=place) as (process, said):
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert all(map(runs, pids(said)))
    assert f"reconciler demo --state {folder} --clean" in rest
    done = subprocess.run([*DEMO, "--state", str(folder), "--clean"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(map(runs, pids(said)))
    assert not folder.exists()


def test_cleaning_needs_a_folder(typed):
    """It is never guessed what to remove."""
    said = typed("demo", "--clean")
    assert (said.code, said.err) == (1, "reconciler: --clean: of which folder? name it with --state DIR\n")


def test_cleaning_where_nothing_is(typed, tmp_path):
    """A folder that holds no quickstart is left alone."""
    (tmp_path / "mine.txt").write_text("mine")
    said = typed("demo", "--state", str(tmp_path), "--clean")
    assert (said.code, said.out) == (0, f"\nThere is no quickstart in {tmp_path}.\n")
    assert (tmp_path / "mine.txt").exists()


@pytest.mark.real
def test_the_package_brings_the_quickstart_along(tmp_path):
    """A built wheel holds every file of it."""
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in ("reconciler", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    place = "reconciler/cli/demo/quickstart/"
    packed = {name.removeprefix(place) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(place)}
    quickstart = ROOT / "examples" / "quickstart"
    files = {str(path.relative_to(quickstart)) for path in quickstart.rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} == packed

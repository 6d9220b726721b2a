"""The locked dependencies: complete, without addresses, and proof against a tampered wheel."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("tests/requirements.txt", "examples/requirements.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(path: str) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes by name, of what applies to this machine and what does not."""
    joined = (ROOT / path).read_text().replace("\\\n", " ")
    entries: dict[str, tuple[str, list[str]]] = {}
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.split(" --hash")[0])
            version = next(iter(requirement.specifier)).version
            entries[canonicalize_name(requirement.name)] = (version, re.findall(r"sha256:([0-9a-f]{64})\b", line))
    return entries


def wanted(lock: str) -> list[Requirement]:
    """What pyproject.toml asks of a lock: the package's needs, how it is built, and the extra that it is for."""
    extra = "dev" if lock == "tests/requirements.txt" else "embedded"
    texts = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    texts = texts + PROJECT["project"]["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_the_project(lock):
    """Whoever changes a dependency locks again: `tests/lock`."""
    entries = locked(lock)
    missing = [
        str(need)
        for need in wanted(lock)
        if not need.specifier.contains(entries.get(canonicalize_name(need.name), ("0", []))[0], prereleases=True)
    ]
    assert missing == []


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_locked_has_a_hash(lock):
    """No entry installs unchecked."""
    assert [name for name, (_, hashes) in locked(lock).items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock):
    """Any registry or mirror may serve: a lock names neither an index nor a file."""
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-") or "file:" in line or " @ " in line] == []


def test_both_locks_agree():
    """What the quickstart runs with is what the tests ran with."""
    tests, examples = map(locked, LOCKS)
    assert {name: entry for name, entry in examples.items() if tests.get(name) != entry} == {}


def test_nothing_is_locked_that_nobody_needs():
    """The runtime lock holds the project's needs and theirs, as installed here, and nothing left over."""
    reached: set[str] = set()
    todo = list(wanted("examples/requirements.txt"))
    while todo:
        need = todo.pop()
        name = canonicalize_name(need.name)
        extras = {"", *need.extras}
        if name not in reached:
            reached.add(name)
            todo += [
                further
                for further in map(Requirement, requires(name) or ())
                if any(not further.marker or further.marker.evaluate({"extra": extra}) for extra in extras)
            ]
    elsewhere = {"colorama"}  # needed on other platforms only
    assert set(locked("examples/requirements.txt")) - elsewhere - reached == set()


def build_wheel(folder: Path, content: str) -> tuple[Path, str]:
    """A tiny wheel called thing, and its digest."""
    wheel = folder / "thing-1.0-py3-none-any.whl"
    files = {
        "thing.py": content,
        "thing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        "thing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digest = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for name, text in files.items()}
    record = "".join(f"{name},sha256={digest[name].rstrip(b'=').decode()},\n" for name in files)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "thing-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel, hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.mark.real
def test_a_tampered_wheel_is_not_installed(tmp_path):
    """The way tests/venv and examples/run install: the wheel that was locked goes in, another of its name does not."""
    _, digest = build_wheel(tmp_path, "VALUE = 'as locked'\n")
    (tmp_path / "lock.txt").write_text(f"thing==1.0 --hash=sha256:{digest}\n")

    def install(target: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", f"--find-links={tmp_path}"]
        options = ["--no-deps", "--require-hashes", "--no-cache-dir", f"--target={tmp_path / target}"]
        return subprocess.run(
            [*command, *options, "--requirement", tmp_path / "lock.txt"], capture_output=True, text=True, check=False
        )

    honest = install("honest")
    build_wheel(tmp_path, "VALUE = 'something else'\n")
    tampered = install("tampered")
    assert (honest.returncode, (tmp_path / "honest/thing.py").exists()) == (0, True), honest.stderr
    assert tampered.returncode != 0
    assert "DO NOT MATCH THE HASHES" in tampered.stderr
    assert not (tmp_path / "tampered/thing.py").exists()


@pytest.mark.parametrize("script", ["tests/venv", "examples/installation.py"])
def test_whoever_installs_asks_for_hashes(script):
    """No script installs a dependency that the lock does not know."""
    assert "--require-hashes" in (ROOT / script).read_text()

"""A virtual environment with the package in it, kept in the cache: made once for each lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
LOCK = CLONE / "examples" / "requirements.txt"
PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "reconciler", "examples/quickstart")


class NotInstalled(Exception):
    """The environment could not be made; the message says why, and what to do."""


def installed() -> Path:
    """The folder of an environment that holds what is locked and the package as it is in this clone."""
    folder = cache() / f"quickstart-{digest(LOCK.read_bytes(), sys.version.encode())}"
    with locked(folder.with_suffix(".lock")):
        if not (folder / ".complete").exists():
            make(folder)
        stamp = folder / f".package-{digest(*package_contents())}"
        if not stamp.exists():
            install_package(folder)
            stamp.touch()
    return folder


def cache() -> Path:
    """Our corner of the person's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler"


def digest(*parts: bytes) -> str:
    """Sixteen hex digits that tell contents apart."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def package_contents() -> Iterator[bytes]:
    """Names and contents of all that the package is built from."""
    for name in PACKAGE:
        top = CLONE / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path.relative_to(CLONE)).encode()
                yield path.read_bytes()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time: two quickstarts may begin together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make(folder: Path) -> None:
    """A new environment with every dependency, each checked against its locked hash."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise NotInstalled("this Python cannot make environments: install its venv module (python3-venv)") from error
    pip(folder, "--require-hashes", "--requirement", str(LOCK))
    (folder / ".complete").touch()


def install_package(folder: Path) -> None:
    """The package, built from a copy: the clone stays as it is, and may be read-only."""
    with tempfile.TemporaryDirectory() as copy:
        for name in PACKAGE:
            if (CLONE / name).is_dir():
                left_out = shutil.ignore_patterns("__pycache__")
                shutil.copytree(CLONE / name, Path(copy, name), ignore=left_out, symlinks=True)
            else:
                shutil.copy(CLONE / name, copy)
        for old in folder.glob(".package-*"):
            old.unlink()
        pip(folder, "--no-build-isolation", "--force-reinstall", copy)


def pip(folder: Path, *arguments: str) -> None:
    """Installs, and says what pip said only when it failed."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"pip could not install {arguments[-1]}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

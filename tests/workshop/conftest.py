"""What the tests of the workshop share: the files of the repository as git knows them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> dict[str, str]:
    """Every file that git tracks and that is there, with its mode in git."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: get the repository with git")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--stage"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    entries = (entry.partition("\t") for entry in listing.split("\0") if entry)
    return {path: stage.split()[0] for stage, _, path in entries if (ROOT / path).exists()}

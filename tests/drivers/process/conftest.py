"""A bench for each test; what it started is ended by pid."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.process.bench import Bench


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may pass through, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="process-driver-"))
    os.chmod(made, 0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def bench(place: Path) -> Iterator[Bench]:
    """A driver that nobody supervises with."""
    made = Bench(place / "state")
    yield made
    made.clean()


@pytest.fixture
def watched(bench: Bench) -> Bench:
    """The same, with its driver supervising."""
    bench.driver.watch(bench.count_change)
    return bench

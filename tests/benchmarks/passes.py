"""What a pass without change costs in this program alone, by the number of resources: everything real but the target.

Run by hand: ``$(tests/venv)/bin/python -m tests.benchmarks.passes [RESOURCES…]``. Prints CPU milliseconds of one pass
of an environment (observing a modelled target, comparing, planning, judging) and how that grows. It judges nothing.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.benchmarks.noop import write_manifests
from tests.runtime.conftest import FakeClock
from tests.runtime.living import Living

ROUNDS = 10


def cost(resources: int) -> float:
    """CPU seconds of one pass over so many resources, all of which are as declared."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as name:
        write_manifests(Path(name), resources)
        living = Living(Path(name) / "manifests", FakeClock())
        living.look(quiet=300.0)
        done = len(living.done())
        (unit,) = (unit for unit in living.board.read().units if not unit.is_furniture)
        start = time.process_time()
        for _ in range(ROUNDS):
            living.clock.advance(1.0)
            living.queue.add(unit, "benchmark")
            while (taken := living.queue.get(timeout=0)) is not None:
                living.workers.run_pass(taken)
        spent = (time.process_time() - start) / ROUNDS
        assert len(living.done()) == done, "something was done"
        assert len(living.instances()) == resources
        living.close()
        return spent


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for resources in [int(text) for text in sys.argv[1:]] or [200, 1000]:
        spent = cost(resources)
        print(f"{resources:>6} resources: {spent * 1000:7.1f} ms CPU a pass, {spent / resources * 1e6:6.1f} µs each")


if __name__ == "__main__":
    main()

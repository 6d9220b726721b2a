"""Releases under constant load through the real proxy, by the real daemon: what requests noticed of them.

Run as ``python -m tests.benchmarks.releases [RELEASES] [RATE]`` from the root of the repository. Loopback only.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.runtime.edge_kit import HOST, EdgeHouse
from tests.runtime.load import Load


def main(releases: int = 20, rate: float = 300.0) -> int:
    with tempfile.TemporaryDirectory(prefix="releases-") as place:
        Path(place).chmod(0o711)
        house = EdgeHouse(Path(place))
        house.web("r0")
        try:
            house.start().settled("r0")
            load = Load(house.http, HOST, rate=rate).begin()
            try:
                took = [_release(house, number, releases) for number in range(1, releases + 1)]
            finally:
                load.end()
            print(f"{releases} releases, {sum(took) / len(took):.1f} s each (drain 1 s), one that failed among them")
            print(load.figures())
            print("raw resets:", dict(Counter(load.resets)))
            print("answers by release:", dict(load.bodies))
            print("requests to the failed one:", (house.seen / "bad").stat().st_size if _reached(house) else 0)
            return 1 if load.errors or _reached(house) else 0
        finally:
            house.clean()


def _reached(house: EdgeHouse) -> bool:
    return (house.seen / "bad").exists()


def _release(house: EdgeHouse, number: int, releases: int) -> float:
    if number == releases // 2:
        house.web("bad")
        house.until(lambda: "failed" in [d["status"] for d in house.ask("api/v1/deployments")["items"]])
    began = time.monotonic()
    house.web(f"r{number}")
    house.settled(f"r{number}")
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))

"""What a pass without change costs: a real daemon, as many processes as asked for, and nothing to do.

Run by hand: ``$(tests/venv)/bin/python tests/benchmarks/noop.py [RESOURCES] [PASSES]``. Prints wall and CPU time of a
pass, and the CPU that the daemon uses while nothing happens. It judges nothing: a shared machine proves little.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

IDLE_SECONDS = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

BASE = """\
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {name: here}
spec: {connection: {kind: local}, engine: process, edgeProxy: {kind: none}}
---
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {name: bench}
spec: {environments: {production: {target: {server: here}}}}
"""
RESOURCE = """\
apiVersion: reconciler.dev/v1alpha1
kind: Resource
metadata: {{name: r{number:03}, project: bench}}
spec: {{source: {{kind: local-folder, path: app}}, command: [sleep, infinity], {deleted}}}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counters of the daemon at one moment; ``cpu`` in seconds."""

    cpu: float
    passes: float
    seconds: float
    commits: float


@dataclass(frozen=True, slots=True)
class Bench:
    """A daemon over a directory of manifests."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> str:
        with DIRECT.open(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read(), "utf-8")

    def figures(self) -> Figures:
        families = text_string_to_metric_families(self.get("/metrics"))
        samples = [sample for family in families for sample in family.samples]
        total = {name: sum(s.value for s in samples if s.name == name) for name in {s.name for s in samples}}
        return Figures(
            cpu=self.cpu(),
            passes=total.get("reconciler_passes_total", 0.0),
            seconds=total.get("reconciler_pass_seconds_sum", 0.0),
            commits=total.get("reconciler_ledger_commits_total", 0.0),
        )

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def counts(self) -> dict[str, int]:
        return dict(json.loads(self.get("/api/v1/status"))["counts"])

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits, and gives up when the daemon is gone."""
        while self.process.poll() is None:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        sys.exit((self.folder / "log").read_text()[-4000:])

    def reconcile_now(self) -> None:
        command = [sys.executable, "-m", "reconciler", "reconcile-now", "--config", str(self.folder / "config.yaml")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write_manifests(folder: Path, resources: int, *, deleted: bool = False) -> None:
    (folder / "manifests" / "app").mkdir(parents=True, exist_ok=True)
    (folder / "manifests" / "app" / "readme.txt").write_text("nothing to see\n")
    wish = "desiredState: deleted" if deleted else "desiredState: running"
    texts = [BASE, *(RESOURCE.format(number=number, deleted=wish) for number in range(resources))]
    for start in range(0, len(texts), 100):
        (folder / "manifests" / f"{start:05}.yaml").write_text("---\n".join(texts[start : start + 100]))


@contextmanager
def started(folder: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    manifests = folder / "manifests"
    (folder / "config.yaml").write_text(
        f"instanceId: bench\nstateDir: {folder / 'state'}\nsource: {{directory: {{path: {manifests}}}}}\n"
        f"listen: {{status: '127.0.0.1:{port}'}}\n"
    )
    command = [sys.executable, "-m", "reconciler", "run", "--config", str(folder / "config.yaml")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Bench(folder, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def look_again(bench: Bench) -> None:
    """One pass of the environment, and one of the furniture."""
    wanted = bench.figures().passes + 2
    bench.reconcile_now()
    bench.until(lambda: bench.figures().passes >= wanted)


def measure(bench: Bench, rounds: int) -> None:
    time.sleep(IDLE_SECONDS / 4)  # what had just become ready is still being told
    before = bench.figures()
    for _ in range(rounds):
        look_again(bench)
    after = bench.figures()
    print(f"passes           {after.passes - before.passes:.0f} in {rounds} rounds")
    print(f"wall a round     {(after.seconds - before.seconds) / rounds * 1000:.1f} ms")
    print(f"CPU a round      {(after.cpu - before.cpu) / rounds * 1000:.1f} ms, answers to this benchmark included")
    print(f"ledger writes    {after.commits - before.commits:.0f}")
    rest = bench.cpu()
    time.sleep(IDLE_SECONDS)
    print(f"CPU while idle   {(bench.cpu() - rest) / IDLE_SECONDS * 100:.2f} %")


def main() -> None:
    resources, passes = (int(text) for text in (*sys.argv[1:], *("200", "20")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as name:
        write_manifests(Path(name), resources)
        run(Path(name), resources, passes)


def run(folder: Path, resources: int, passes: int) -> None:
    start = time.monotonic()
    with started(folder) as bench:
        bench.until(lambda: bench.counts() == {"healthy": resources})
        print(f"{resources} resources healthy after {time.monotonic() - start:.1f} s")
        try:
            measure(bench, passes)
        finally:
            write_manifests(bench.folder, resources, deleted=True)
            bench.until(lambda: "healthy" not in bench.counts())


if __name__ == "__main__":
    main()

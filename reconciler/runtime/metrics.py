"""Figures about the daemon itself. No series per resource: their number does not grow with what is managed."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """One registry per daemon, so that two in one process (tests) never share a figure."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.passes = Counter("reconciler_passes", "Passes by how they ended.", ["result"], registry=registry)
        self.pass_seconds = Histogram("reconciler_pass_seconds", "How long a pass takes.", registry=registry)
        self.actions = Counter(
            "reconciler_actions", "Actions by verb and result.", ["verb", "result"], registry=registry
        )
        self.commits = Counter("reconciler_ledger_commits", "Writes handed to the ledger.", ["kind"], registry=registry)
        self.blobs = Counter("reconciler_blobs_parsed", "Manifest files that were decoded.", registry=registry)
        self.refreshes = Counter("reconciler_refreshes", "Looks at a source by result.", ["result"], registry=registry)
        self._depth = Gauge("reconciler_queue_depth", "Units that wait for a worker.", registry=registry)
        self._age = Gauge(
            "reconciler_source_age_seconds", "Since a source was last read.", ["source"], registry=registry
        )

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """The depth is asked for when somebody reads the figures."""
        self._depth.set_function(lambda: float(depth()))

    def watch_source(self, source: str, age: Callable[[], float]) -> None:
        """Likewise the age of a source, in seconds."""
        self._age.labels(source).set_function(age)

    def render(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)

"""Something small that is done now and then: pruning the ledger's history."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Periodic:
    """Calls ``task`` every ``interval`` seconds in a thread of its own; what it raises is told."""

    def __init__(self, name: str, task: Callable[[], object], *, interval: float) -> None:
        self._name = name
        self._task = task
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def _loop(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self._task()
            except Exception:
                log.exception("periodic task failed", task=self._name)

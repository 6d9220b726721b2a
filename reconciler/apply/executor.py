"""Walks a plan's actions side by side and says what became of each. It decides nothing and never raises.

The controller calls it with the actions that may run now; they are independent of each other, so one that fails
stops none of its neighbours. Before each action somebody else is asked whether it may still begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.plan.actions import Action
from reconciler.ports import Clock, TargetDriver


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action that began. Times in epoch seconds."""

    action: Action
    error: Exception | None
    started: float
    finished: float

    @property
    def ok(self) -> bool:
        return self.error is None


class Executor:
    """The actions of one target, at most ``width`` at a time over all of its units."""

    def __init__(self, driver: TargetDriver, clock: Clock, *, width: int) -> None:
        self._driver = driver
        self._clock = clock
        self._closed = False
        self._pool = ThreadPoolExecutor(width, thread_name_prefix=f"apply-{driver.key.name}")

    def execute(self, actions: Iterable[Action], may_continue: Callable[[], bool]) -> list[Outcome]:
        """The outcomes of the actions that began, in the order given; the others were no longer allowed to."""
        if self._closed:
            return []
        futures = [self._pool.submit(self._run, action, may_continue) for action in actions]
        outcomes = [future.result() for future in futures]
        return [outcome for outcome in outcomes if outcome is not None]

    def close(self) -> None:
        """Waits for what runs; nothing begins any more."""
        self._closed = True
        self._pool.shutdown()

    def _run(self, action: Action, may_continue: Callable[[], bool]) -> Outcome | None:
        if not may_continue():
            return None
        started = self._clock.now()
        error = self._attempt(action)
        return Outcome(action, error, started, self._clock.now())

    def _attempt(self, action: Action) -> Exception | None:
        try:
            self._driver.apply(action)
        except Exception as error:  # noqa: BLE001 - an adapter's unknown exception belongs into the outcome too
            return error
        return None

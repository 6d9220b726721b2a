"""Which actions must wait although the planner would take them now: those that failed, and those that had no effect.

One refused action neither stops the rest of its unit nor is hammered. An action that the planner wants again right
after it succeeded (somebody undoes it, or the target lags behind) is tried again with growing waits, so that no pass
becomes a hot loop. Called by the controller only, which never runs a unit beside itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.manifests.identity import UnitKey
from reconciler.plan.actions import Action
from reconciler.ports import Clock
from reconciler.runtime.backoff import Backoff

_PATIENCE = 30
"""Passes in a row that may act without a pause."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last try of an action: how many there were in a row, and when (monotonic seconds) the next may be."""

    tries: int
    due: float
    error: Exception | None


class Throttle:
    """``errors`` waits after failures, ``repeats`` after successes that did not last."""

    def __init__(self, clock: Clock, *, errors: Backoff, repeats: Backoff) -> None:
        self._clock = clock
        self._errors = errors
        self._repeats = repeats
        self._lock = threading.Lock()
        self._attempts: dict[UnitKey, dict[Action, Attempt]] = {}
        self._streaks: dict[UnitKey, int] = {}

    def allowed(self, unit: UnitKey, actions: Iterable[Action]) -> tuple[Action, ...]:
        """The actions whose time has come. Forgets what the plan asks for no more."""
        wanted = tuple(actions)
        asked = frozenset(wanted)
        with self._lock:
            tried = {action: attempt for action, attempt in self._attempts.get(unit, {}).items() if action in asked}
            self._attempts[unit] = tried
        now = self._clock.monotonic()
        return tuple(action for action in wanted if action not in tried or tried[action].due <= now)

    def record(self, action: Action, error: Exception | None) -> None:
        """Remembers how a try ended."""
        with self._lock:
            tried = self._attempts.setdefault(action.unit, {})
            before = tried.get(action)
            same = before is not None and (before.error is None) == (error is None)
            tries = before.tries + 1 if before and same else 1
            wait = self._repeats.ceiling(tries) if error is None else self._errors.delay(tries, error)
            tried[action] = Attempt(tries, self._clock.monotonic() + wait, error)

    def due_in(self, unit: UnitKey) -> float | None:
        """Seconds until the next failed or repeated action of the unit may be tried; None when there is none."""
        with self._lock:
            times = [attempt.due for attempt in self._attempts.get(unit, {}).values()]
        return max(0.0, min(times) - self._clock.monotonic()) if times else None

    def failure(self, unit: UnitKey) -> Exception | None:
        """The error of an action that is still waiting to be tried again."""
        with self._lock:
            errors = [a.error for _, a in sorted(self._attempts.get(unit, {}).items()) if a.error]
        return errors[0] if errors else None

    def pace(self, unit: UnitKey, *, acted: bool) -> float:
        """Seconds to wait before the next pass after this one: none, until very many passes in a row have acted, as
        they do when two parties undo each other's work."""
        with self._lock:
            streak = self._streaks[unit] = self._streaks.get(unit, 0) + 1 if acted else 0
        return 0.0 if streak < _PATIENCE else self._repeats.ceiling(streak - _PATIENCE + 1)

    def clear(self, unit: UnitKey | None = None) -> None:
        """An input changed, or somebody asked for it: everything (of one unit) may be tried at once."""
        with self._lock:
            if unit is None:
                self._attempts.clear()
            else:
                self._attempts.pop(unit, None)

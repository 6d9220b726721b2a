"""How long to wait after a failure. Pure but for the injected randomness; called by the queue and the throttle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import TerminalError, TransientError

TERMINAL_RETRY = 30 * 60.0
"""Seconds until something that will not mend by itself is tried again; a changed input tries it at once."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential with full jitter: a random part of ``base`` * 2**(attempt - 1), at least ``floor``, at most ``cap``.

    Seconds. ``random`` gives a number from 0 up to 1.
    """

    random: Callable[[], float]
    base: float = 1.0
    cap: float = 300.0
    floor: float = 0.2

    def delay(self, attempt: int, error: BaseException) -> float:
        """Seconds to wait after the ``attempt``-th failure in a row (from 1). A ``retry_after`` is never undercut."""
        if isinstance(error, TerminalError):
            return TERMINAL_RETRY
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None:
            return asked + self.base * self.random()
        return max(self.floor, self.random() * self.ceiling(attempt))

    def ceiling(self, attempt: int) -> float:
        """The longest wait after this many failures; the exponent is bounded so that it cannot overflow."""
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 32))

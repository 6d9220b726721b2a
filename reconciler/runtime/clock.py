"""The real clock behind the Clock port."""

from __future__ import annotations

import time


class SystemClock:
    """Epoch seconds for what people read, monotonic seconds for durations."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

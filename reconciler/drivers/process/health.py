"""Pure: what a run of probe answers means, and how long to wait before the next start. Seconds throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.observed.snapshot import Health

GATING = 1.0  # between probes until the first good answer
QUIET = 10.0  # without an exit counts as healthy where there is nothing to ask
STEADY = 60.0  # of running ends a streak of quick exits
LONGEST_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Timings:
    """A workload's settings as numbers; what is missing or no number has its default."""

    stop_timeout: float = 10.0
    interval: float = 10.0
    timeout: float = 2.0
    retries: int = 3
    start_period: float = 10.0
    restart_when_unhealthy: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Timings:
        default = cls()
        return cls(
            stop_timeout=_number(settings, "stopTimeout", default.stop_timeout),
            interval=max(0.1, _number(settings, "probe.interval", default.interval)),
            timeout=min(60.0, max(0.1, _number(settings, "probe.timeout", default.timeout))),
            retries=max(1, int(_number(settings, "probe.retries", default.retries))),
            start_period=_number(settings, "probe.startPeriod", default.start_period),
            restart_when_unhealthy=settings.get("restartWhenUnhealthy", "") == "true",
        )

    def next_probe(self, *, proven: bool) -> float:
        return self.interval if proven else min(GATING, self.interval)


def _number(settings: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(settings[name])
    except (KeyError, ValueError):
        return default
    return value if 0 <= value < float("inf") else default


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is known of one run's health. ``failures`` are in a row; ``proven``: healthy once; ``answer`` the last."""

    health: Health
    proven: bool = False
    failures: int = 0
    answer: str = ""


def judge(vitals: Vitals, *, good: bool, answer: str, age: float, timings: Timings) -> Vitals:
    """The vitals after one more probe, of a run that is ``age`` old. Failures before the end of the start period do
    not count against a run that was never healthy."""
    if good:
        return Vitals(Health.HEALTHY, proven=True, answer=answer)
    if not vitals.proven and age < timings.start_period:
        return replace(vitals, health=Health.STARTING, failures=0, answer=answer)
    failures = vitals.failures + 1
    health = vitals.health if vitals.proven else Health.STARTING
    if failures >= timings.retries:
        health = Health.UNHEALTHY
    return replace(vitals, health=health, failures=failures, answer=answer)


def restart_delay(streak: int, jitter: float) -> float:
    """Before the next start after ``streak`` quick exits in a row: from 1 s, doubled up to a minute; ``jitter`` (0 to
    1) takes up to a fifth off, so that what fell together does not rise together."""
    delay: float = min(LONGEST_DELAY, 2.0 ** min(max(streak - 1, 0), 10))
    return delay * (1.0 - jitter / 5)

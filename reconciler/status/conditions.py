"""Conditions: what is true of a unit or a resource, since when, why, and of which revision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ConditionType(StrEnum):
    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    IN_SYNC = "InSync"
    HEALTHY = "Healthy"
    REACHABLE = "Reachable"


class Truth(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """The reasons of conditions, beside those that blocks give."""

    READY = "Ready"
    STOPPED = "Stopped"
    PROGRESSING = "Progressing"
    WAITING = "Waiting"
    SETTLED = "Settled"
    HEALTHY = "Healthy"
    STARTING = "Starting"
    UNHEALTHY = "Unhealthy"
    CRASH_LOOP = "CrashLoop"
    IN_SYNC = "InSync"
    OUT_OF_SYNC = "OutOfSync"
    DRIFTED = "Drifted"
    OBSERVED = "Observed"
    PARTLY_OBSERVED = "PartlyObserved"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """``since`` (epoch seconds) moves only when the status does; ``revision`` is the one it speaks of."""

    type: ConditionType
    status: Truth
    reason: str
    message: str
    since: float
    revision: str = ""

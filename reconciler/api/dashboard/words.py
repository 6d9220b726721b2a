"""How a state, a time, an id or a place is told: small pure functions, which the templates use as filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from reconciler.status.parts import CheckStatus, ConditionView, RolloutView
from reconciler.status.views import CheckView

TONES: Mapping[str, str] = {
    word: tone
    for tone, words in {
        "ok": "healthy succeeded passed accepted running ready live bound present applied active matched",
        "bad": "unhealthy failed unreachable error exited down not-ready missing expired mismatch unresolved",
        "warn": "degraded warning stale cancel-requested rolled-back retry-scheduled restarting held gate"
        " lookup_failed",
        "busy": "starting created planning planned pending rolling",
        "idle": "stopped canceled skipped absent not-deployed recent-sample not-configured not-applicable disabled",
        "info": "info",
    }.items()
    for word in words.split()
}
"""A tone (a colour and a shape) for each word of a state. What is not here is unknown, and looks so."""

GOOD_WHEN_TRUE = frozenset({"Ready", "Healthy", "InSync", "Reachable"})
STEPS = ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (172_800.0, 3600.0, "h"))
DAY = 86_400.0


def tone(word: str) -> str:
    return TONES.get(word, "unknown")


def condition_tone(said: ConditionView) -> str:
    """Ready is good when true, Stalled when false; Reconciling is only busy or idle."""
    if said.status == "Unknown":
        return "unknown"
    true = said.status == "True"
    if said.type in GOOD_WHEN_TRUE:
        return "ok" if true else "bad"
    if said.type == "Reconciling":
        return "busy" if true else "idle"
    return "bad" if true else "idle"


def check_tone(check: CheckView) -> str:
    if check.status is CheckStatus.FAILED:
        return "bad" if check.severity == "error" else "warn"
    return tone(check.status.value)


def check_word(check: CheckView) -> str:
    """What a failure means, where it failed."""
    return check.severity if check.status is CheckStatus.FAILED else check.status.value


def verdict(rollout: RolloutView) -> str:
    """What has become of the generation that is rolled out."""
    if rollout.failed:
        return "failed"
    if rollout.accepted:
        return "accepted"
    return "rolling" if rollout.generation else "not-deployed"


def short(digest: str) -> str:
    """A digest as people compare them; a generation keeps the first digits of its stamp."""
    release, _, stamp = digest.partition("+")
    return f"{release[:10]}+{stamp[:6]}" if stamp else release[:10]


def span(seconds: float) -> str:
    """A duration in one unit: 40 s, 7 min, 5 h, 3 d."""
    for below, unit, name in STEPS:
        if seconds < below:
            return f"{int(seconds / unit)} {name}"
    return f"{int(seconds / DAY)} d"


def age(at: datetime, now: datetime) -> str:
    """``at`` seen from ``now``; what lies ahead (a deadline) is told as that."""
    seconds = (now - at).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def stamp(at: datetime) -> str:
    """A time in full, in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def resource_href(project: str, environment: str, name: str) -> str:
    base = f"/resources/{quote(project, safe='')}/{quote(name, safe='')}"
    return f"{base}?environment={quote(environment, safe='')}" if environment else base


def subject_href(subject: str) -> str:
    """The page of ``Resource/project/environment/name``; "" where there is none."""
    parts = subject.split("/")
    if len(parts) == 4 and parts[0] == "Resource":
        return resource_href(parts[1], parts[2], parts[3])
    return ""


def subject_name(subject: str) -> str:
    """``Resource/shop/production/web`` as ``shop/production/web``; other kinds keep theirs."""
    return subject.removeprefix("Resource/")


def anchor(text: str) -> str:
    """An id for an element: keeps it the same element from one edition of a page to the next."""
    return quote(text, safe="").replace("%", "_")

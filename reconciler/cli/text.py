"""Small texts for people: ages, durations, short digests; and nothing that could steer a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.errors import InvalidInput

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def safe(text: object) -> str:
    """A text of somebody else's, with control characters made visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text))


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def age(since: str | None, now: str | None) -> str:
    """``3m``: how long ago, by the clock of whoever answered. ``-`` when nobody knows."""
    then, here = moment(since), moment(now)
    return duration((here - then).total_seconds()) if then and here else "-"


def duration(seconds: float) -> str:
    """The largest unit that fits, and the next one while the first is small: ``45s``, ``3m``, ``1h20m``, ``5d``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 10 * 3600:
        rest = whole % 3600 // 60
        return f"{whole // 3600}h{rest}m" if rest else f"{whole // 3600}h"
    return f"{whole // 3600}h" if whole < 2 * 86400 else f"{whole // 86400}d"


def seconds(text: str) -> float:
    """``90``, ``30s``, ``3h``, ``1h30m`` in seconds. Raises ``InvalidInput``."""
    found = re.findall(r"(\d+)([smhdw])", text)
    if text.isdecimal():
        return float(text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise InvalidInput(f"{text!r} is not a duration such as 30s, 10m or 3h")
    return float(sum(int(number) * _SECONDS[unit] for number, unit in found))


def clock(at: str | None) -> str:
    """A time of day, here, with its date when that is not today's."""
    found = moment(at)
    if found is None:
        return "-"
    local = found.astimezone()
    today = datetime.now(tz=UTC).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M:%S}"


def brief(text: str, item: Mapping[str, Any]) -> str:
    """A message beside the name of its resource: its instances without what that says already (``7f3a91c0de-0``)."""
    return text.replace(f"{item['project']}-{item['environment']}-{item['name']}-", "")


def short(digest: str) -> str:
    """A release, generation or commit, as long as people need it."""
    release, plus, stamp = digest.partition("+")
    return f"{release[:10]}{plus}{stamp[:6]}"

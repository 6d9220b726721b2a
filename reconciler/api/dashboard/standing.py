"""What every page begins with: the revision it speaks of, the age of what was observed, and one sentence for it all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.status import health, parts
from reconciler.status.parts import Freshness, Overall
from reconciler.status.presenting import places, resources
from reconciler.status.presenting.picture import Picture

_OLDEST_FIRST = (Freshness.STALE, Freshness.RECENT_SAMPLE, Freshness.LIVE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What every page begins with: which revision it speaks of, and how old its observations are.

    ``observed_at`` is that of the target looked at longest ago; ``unseen`` are targets that nobody has read yet.
    """

    settled: bool
    generated_at: datetime
    revisions: tuple[tuple[str, parts.Revisions], ...]
    observed_at: datetime | None
    freshness: Freshness
    unseen: tuple[str, ...]
    steps: int
    gates: int
    headline: str


def standing(picture: Picture) -> Standing:
    published = picture.published
    seen = {key: picture.observed_at(key) for key in places.targets(picture)}
    ages = {picture.freshness(key) for key in seen}
    found = [resources.summary(picture, key).health for key in picture.resources()]
    return Standing(
        settled=published.settled,
        generated_at=picture.generated_at,
        revisions=tuple(
            (name, parts.Revisions(seen=s.seen, applied=s.applied, blocked=s.blocked))
            for name, s in sorted(published.sources.items())
        ),
        observed_at=min((at for at in seen.values() if at), default=None),
        freshness=next((f for f in _OLDEST_FIRST if f in ages), Freshness.UNKNOWN),
        unseen=tuple(key.name for key, at in seen.items() if at is None),
        steps=sum(len(plan.actions) for plan in published.plans.values()),
        gates=sum(len(plan.gates) for plan in published.plans.values()),
        headline=headline(found),
    )


def headline(healths: Iterable[Overall]) -> str:
    """One sentence for everything: how many need somebody, and what with."""
    counts = health.counts(healths)
    total = sum(counts.values())
    if not total:
        return "Nothing is declared yet"
    well = counts.get(Overall.HEALTHY, 0) + counts.get(Overall.STOPPED, 0)
    if well == total:
        return f"All {total} resources are well" if total > 1 else "The one resource is well"
    words = [word for word in counts if word not in {Overall.HEALTHY, Overall.STOPPED}]
    if total == 1:
        return f"The one resource needs attention: {words[0].value}"
    rest = ", ".join(f"{counts[word]} {word.value}" for word in words)
    return f"{total - well} of {total} resources need attention: {rest}"

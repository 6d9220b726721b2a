"""Everything on one screen: what needs attention, worst first, and how much is well."""

from __future__ import annotations

from reconciler.status import health, views
from reconciler.status.presenting import pieces, places, resources, sources
from reconciler.status.presenting.picture import Picture, instant

_ORDER = {word: place for place, word in enumerate(health.WORST_FIRST)}


def worst_first(items: list[views.ResourceSummary]) -> list[views.ResourceSummary]:
    """By health, then those that are not ready, then by name."""
    return sorted(items, key=lambda r: (_ORDER[r.health], r.ready == "True", r.id))


def view(picture: Picture, *, project: str = "", environment: str = "") -> views.StatusView:
    """Of everything, or of one project or environment."""
    published = picture.published
    keys = [key for key in picture.resources() if project in {"", key.project} and environment in {"", key.environment}]
    items = worst_first([resources.summary(picture, key) for key in keys])
    chosen = set(keys)
    everything = not project and not environment
    plans = {
        unit: plan
        for unit, plan in sorted(published.plans.items())
        if project in {"", unit.project} and environment in {"", unit.environment}
    }
    return views.StatusView(
        generated_at=picture.generated_at,
        instance_id=published.instance_id,
        started_at=instant(published.started_at),
        settled=published.settled,
        health=health.worst(r.health for r in items),
        counts=health.counts(r.health for r in items),
        resources=tuple(items),
        servers=tuple(places.server_summary(picture, key) for key in places.targets(picture)),
        sources=tuple(sources.source(picture, name) for name in sorted(published.sources)),
        pending_actions=sum(len(plan.actions) for plan in plans.values()),
        blocks=tuple(
            pieces.block(picture, b)
            for key, found in sorted(picture.blocks.items())
            for b in found
            if everything or key in chosen
        ),
        gates=tuple(pieces.gate(picture, unit, g) for unit, plan in plans.items() for g in plan.gates),
        holds=tuple(sorted(str(held) for held in published.holds)),
    )

"""The life of a change up to the queue: sources, catalog, facts, desired state, and the units that it concerns.

One thread of the daemon calls it, when a source hints at a change, when the timer says so, and at the start. A source
that cannot be read keeps what it said last and takes nothing away. When nothing changed, nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from reconciler.desired.objects import Desired
from reconciler.errors import ReconcilerError
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.revision import Revision
from reconciler.plan.actions import ApprovalRecord
from reconciler.plan.gates import voided
from reconciler.ports import Clock, Ledger, Source
from reconciler.runtime.metrics import Metrics
from reconciler.runtime.reading import Reader
from reconciler.runtime.relations import changed_units
from reconciler.runtime.settling import settle_sources
from reconciler.runtime.throttle import Throttle
from reconciler.runtime.workqueue import WorkQueue
from reconciler.runtime.world import Board, World
from reconciler.status.published import SourceState
from reconciler.status.records import Event

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Feed:
    """A source, and how it is shown before it was read."""

    source: Source
    shown: SourceState


@dataclass(frozen=True, slots=True)
class Meaning:
    """How a catalog becomes a desired state: ``facts`` gathers what the world adds (digests of secrets), ``assemble``
    is pure. Facts are values: equal ones mean the same desired state."""

    facts: Callable[[Catalog], Any]
    assemble: Callable[[Catalog, Any], Desired]
    units: Callable[..., list[UnitKey]]


class Refresher:
    """``retarget`` is told the desired state before any unit sees it. With ``fresh`` memory, Approvals that are in the
    first desired state are void: they may have been used before this ledger was."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        *,
        reader: Reader,
        meaning: Meaning,
        board: Board,
        queue: WorkQueue,
        throttle: Throttle,
        ledger: Ledger,
        clock: Clock,
        metrics: Metrics,
        retarget: Callable[[Desired], None],
        fresh: bool = False,
    ) -> None:
        self._feeds = feeds
        self._reader = reader
        self._meaning = meaning
        self._board = board
        self._queue = queue
        self._throttle = throttle
        self._ledger = ledger
        self._clock = clock
        self._metrics = metrics
        self._retarget = retarget
        self._void_approvals = fresh
        self._made_of: tuple[Catalog, Any] | None = None
        self._saved: dict[str, Mapping[tuple[str, str], frozenset[ResourceKey]]] = {}
        self._board.change(lambda world: replace(world, sources={name: feed.shown for name, feed in feeds.items()}))

    def run(self, trigger: str) -> bool:
        """Looks at every source once; whether all could be read. Raises what the ledger raises, and then the desired
        state is the old one and the next run does it all again."""
        states = {name: self._look(name, feed) for name, feed in sorted(self._feeds.items())}
        self._show(states)
        catalog = self._reader.catalog()
        facts = self._meaning.facts(catalog)
        if self._made_of is None or self._made_of[0] is not catalog or self._made_of[1] != facts:
            self._replace_desired(catalog, self._meaning.assemble(catalog, facts), trigger)
            self._made_of = (catalog, facts)
        return not any(state.error for state in states.values())

    # --- sources

    def _look(self, name: str, feed: Feed) -> SourceState:
        state = self._board.read().sources.get(name, feed.shown)
        checked = self._clock.now()
        try:
            revision = feed.source.revision()
            self._reader.take(feed.source, revision)
        except Exception as error:  # noqa: BLE001 - whatever a source raises, what it said last still counts
            self._reader.miss(name)
            self._metrics.refreshes.labels("failed").inc()
            return self._missed(state, error)
        self._metrics.refreshes.labels("ok").inc()
        return self._taken(replace(state, checked_at=checked), revision)

    def _missed(self, state: SourceState, error: Exception) -> SourceState:
        text = str(error) if isinstance(error, ReconcilerError) else f"{type(error).__name__}: {error}"
        if text != state.error:
            log.warning(
                "source not readable", source=state.name, error=text, exc_info=not isinstance(error, ReconcilerError)
            )
            self._event("source-failed", f"{state.name}: {text}", severity="warning", revision=state.seen)
        return replace(state, error=text)

    def _taken(self, state: SourceState, revision: Revision) -> SourceState:
        if state.error:
            self._event("source-recovered", f"{state.name}: can be read again", revision=revision.id)
        if revision.id not in {state.seen, state.applied}:
            log.info("new revision", source=state.name, revision=revision.id, subject=revision.subject)
            self._event("source-changed", revision.subject or f"{state.name}: {revision.id}", revision=revision.id)
        return replace(
            state,
            error="",
            seen=revision.id,
            author=revision.author,
            subject=revision.subject,
            committed_at=revision.committed_at,
        )

    def _show(self, states: Mapping[str, SourceState]) -> None:
        """A later look at the same revision is no news."""
        shown = self._board.read().sources
        news = any(replace(state, checked_at=shown[name].checked_at) != shown[name] for name, state in states.items())
        self._board.change(lambda world: replace(world, sources=_merged(world.sources, states)), quiet=not news)

    def _event(self, type: str, message: str, *, severity: str = "info", revision: str = "") -> None:
        event = Event(self._clock.now(), type, message, severity=severity, revision=revision)
        self._ledger.append([event])
        self._metrics.commits.labels("history").inc()

    # --- desired state

    def _replace_desired(self, catalog: Catalog, desired: Desired, trigger: str) -> None:
        before = self._board.read()
        self._save_declared(catalog)
        approvals = self._voided(desired, before)
        self._retarget(desired)
        units = self._meaning.units(desired, before.inventory, before.snapshot)
        concerned = set(changed_units(before.desired, desired, before.inventory, units))
        concerned |= {unit for unit in units if unit not in before.planned}
        self._board.change(
            lambda world: _with_desired(
                world, desired, catalog, units=tuple(units), concerned=frozenset(concerned), approvals=approvals
            )
        )
        log.info("new desired state", trigger=trigger, units=len(units), concerned=len(concerned))
        for unit in sorted(concerned):
            self._throttle.clear(unit)
            self._queue.add(unit, trigger)
        for unit in set(before.units) - set(units):
            self._queue.forget(unit)
        settle_sources(self._board, self._ledger)

    def _save_declared(self, catalog: Catalog) -> None:
        for source in sorted(self._feeds):
            declared = {at: keys for at, keys in catalog.declared_by.items() if at[0] == source}
            if self._saved.get(source) != declared:
                self._ledger.save_declared(source, declared)
                self._saved[source] = declared

    def _voided(self, desired: Desired, world: World) -> Mapping[str, ApprovalRecord]:
        """Records of Approvals that may have been used before: they are on record before anything else happens."""
        if not self._void_approvals or desired.held.sources:
            return {}
        void = {record.name: record for record in voided(desired)}
        units = self._meaning.units(desired, world.inventory, world.snapshot)
        if void and units:
            progress = world.progress.get(units[0], {})
            self._ledger.commit_plan(units[0], inventory=None, progress=progress, approvals=tuple(void.values()))
        self._void_approvals = False
        return void


def _merged(shown: Mapping[str, SourceState], seen: Mapping[str, SourceState]) -> Mapping[str, SourceState]:
    """What was just seen, with what passes said meanwhile of what is applied."""
    return {
        name: replace(state, applied=shown[name].applied, blocked=shown[name].blocked) for name, state in seen.items()
    }


def _with_desired(
    world: World,
    desired: Desired,
    catalog: Catalog,
    *,
    units: tuple[UnitKey, ...],
    concerned: frozenset[UnitKey],
    approvals: Mapping[str, ApprovalRecord],
) -> World:
    """A unit that the change does not concern needs no pass: what it planned holds for this edition too."""
    edition = world.edition + 1
    kept = {unit for unit in units if unit not in concerned and world.current(unit)}
    return replace(
        world,
        edition=edition,
        catalog=catalog,
        desired=desired,
        units=units,
        planned={unit: edition if unit in kept else at for unit, at in world.planned.items() if unit in set(units)},
        approvals={**world.approvals, **approvals},
    )

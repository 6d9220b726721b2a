"""The ledger behind its port: memory written ahead of every action, and the history of what happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

from reconciler.errors import InvalidInput
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.ports import Remembered
from reconciler.status.conditions import Condition
from reconciler.status.records import Deployment, Event
from reconciler.store import pruning, remembering, rows
from reconciler.store.database import Readers, open_database
from reconciler.store.history import History
from reconciler.store.rows import Subject
from reconciler.store.writer import Writer

T = TypeVar("T")


class Ledger:
    """One file. Every write is one transaction, perhaps shared with others that waited; ``history`` reads."""

    def __init__(self, path: Path) -> None:
        self._writer = Writer(open_database(path), path)
        self._readers = Readers(path)
        self.history = History(self._readers)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the ledger at ``path``, or makes it, owner-only. Raises ``LedgerDamaged`` and ``TransientError``."""
        return cls(path)

    @property
    def commits(self) -> int:
        """Transactions that changed something, since it was opened."""
        return self._writer.commits

    def load(self) -> Remembered:
        """All that is remembered, of one moment. ``fresh`` until the first plan was ever committed, so that a daemon
        that was killed before it wrote anything still knows that it knows nothing."""
        with self._readers.reading() as connection:
            return remembering.load(connection)

    def commit_plan(
        self,
        unit: UnitKey,
        *,
        inventory: Mapping[ResourceKey, Entry] | None,
        progress: Mapping[ResourceKey, Progress],
        approvals: Sequence[ApprovalRecord] = (),
    ) -> None:
        """Replaces the unit's inventory (unless None) and its progress whole, and adds to the Approvals' records."""
        for entry in (inventory or {}).items():
            _check_entry(unit, *entry)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM fresh")
            scope = rows.of_unit(unit)
            if inventory is not None:
                rows.INVENTORY.sync(connection, scope, map(rows.of_entry, inventory.values()))
            made = (rows.of_progress(unit, key, seen) for key, seen in progress.items())
            rows.PROGRESS.sync(connection, scope, made)
            for record in approvals:
                remembering.record_approval(connection, record)

        self._writer.write(work)

    def save_declared(self, source: str, declared: Mapping[tuple[str, str], frozenset[ResourceKey]]) -> None:
        """Replaces what the paths of one source declare; other sources' paths are not its business."""
        own = {path: keys for (name, path), keys in declared.items() if name == source}
        if len(own) != len(declared):
            raise InvalidInput(f"source {source!r}: declares for another source; save each source by itself")

        def work(connection: sqlite3.Connection) -> None:
            rows.DECLARED_PATHS.sync(connection, (source,), ((source, path) for path in own))
            keys = ((source, path, *rows.of_key(key)) for path, keys in own.items() for key in keys)
            rows.DECLARED.sync(connection, (source,), keys)

        self._writer.write(work)

    def save_conditions(self, conditions: Mapping[Subject, tuple[Condition, ...]]) -> None:
        """Replaces the conditions of these subjects; an empty tuple forgets one."""

        def work(connection: sqlite3.Connection) -> None:
            for subject, seen in conditions.items():
                made = (rows.of_condition(subject, position, one) for position, one in enumerate(seen))
                rows.CONDITIONS.sync(connection, rows.of_subject(subject), made)

        self._writer.write(work)

    def save_applied(self, source: str, revision: str) -> None:
        self._writer.write(lambda connection: rows.APPLIED.sync(connection, (source,), [(source, revision)]))

    def save_holds(self, holds: frozenset[Subject]) -> None:
        self._writer.write(lambda connection: rows.HOLDS.sync(connection, (), map(rows.of_subject, holds)))

    def append(self, events: Sequence[Event]) -> None:
        """Gives each event the next id; one that it already has is not looked at."""

        def work(connection: sqlite3.Connection) -> None:
            following = remembering.last_event(connection)
            for number, event in enumerate(events, following + 1):
                rows.EVENTS.put(connection, rows.of_event(event, number))

        self._writer.write(work)

    def put_deployment(self, deployment: Deployment) -> None:
        """Raises ``InvalidInput`` when more than status, end and message differ from what is on record."""
        self._writer.write(lambda connection: remembering.record_deployment(connection, deployment))

    def prune(self, now: float, *, days: float = pruning.DAYS, limit: int = pruning.LIMIT) -> int:
        """Drops events older than ``days``, then the oldest until the ledger has at most ``limit`` bytes; deployments
        stay. Small steps, so that nobody waits long. Returns how many events went."""
        return pruning.prune(self._write, now - days * 86400.0, limit)

    def close(self) -> None:
        """Returns when everything is on disk."""
        self._readers.close()
        self._writer.close()

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._writer.write(work)


def _check_entry(unit: UnitKey, key: ResourceKey, entry: Entry) -> None:
    if entry.unit != unit or entry.key != key:
        raise InvalidInput(
            f"inventory of {unit}: {key} stands for {entry.key} of {entry.unit}; a defect, please report"
        )

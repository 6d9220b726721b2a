"""Reading the memory whole, and the few writes that must look at what is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.errors import InvalidInput
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.ports import Remembered
from reconciler.status.conditions import Condition
from reconciler.status.records import Deployment
from reconciler.store import rows
from reconciler.store.rows import Subject
from reconciler.store.tables import Row, Unsound, cleaned


def load(connection: sqlite3.Connection) -> Remembered:
    """Everything, checked. Raises ``Unsound``."""
    try:
        return Remembered(
            fresh=connection.execute("SELECT count(*) FROM fresh").fetchone()[0] == 1,
            inventory=_inventory(rows.INVENTORY.read(connection)),
            progress=_progress(rows.PROGRESS.read(connection)),
            approvals={record.name: record for record in map(rows.to_approval, rows.APPROVALS.read(connection))},
            declared_by=_declared(rows.DECLARED_PATHS.read(connection), rows.DECLARED.read(connection)),
            conditions=_conditions(rows.CONDITIONS.read(connection, tail="ORDER BY position")),
            applied={str(source): str(revision) for source, revision in rows.APPLIED.read(connection)},
            holds=frozenset(map(rows.to_subject, rows.HOLDS.read(connection))),
        )
    except (ValueError, TypeError) as error:
        raise Unsound(f"a row cannot be understood: {error}") from error


def _inventory(found: Iterable[Row]) -> Mapping[UnitKey, Mapping[ResourceKey, Entry]]:
    made: dict[UnitKey, dict[ResourceKey, Entry]] = {}
    for entry in map(rows.to_entry, found):
        made.setdefault(entry.unit, {})[entry.key] = entry
    return made


def _progress(found: Iterable[Row]) -> Mapping[UnitKey, Mapping[ResourceKey, Progress]]:
    made: dict[UnitKey, dict[ResourceKey, Progress]] = {}
    for row in found:
        made.setdefault(rows.to_unit(row[:4]), {})[rows.to_key(row[4:8])] = rows.to_progress(row)
    return made


def _declared(paths: Iterable[Row], found: Iterable[Row]) -> Mapping[tuple[str, str], frozenset[ResourceKey]]:
    made: dict[tuple[str, str], set[ResourceKey]] = {(str(source), str(path)): set() for source, path in paths}
    for row in found:
        at = (str(row[0]), str(row[1]))
        if at not in made:
            raise Unsound(f"{at[1]} of source {at[0]!r} declares something and is not on record")
        made[at].add(rows.to_key(row[2:6]))
    return {at: frozenset(keys) for at, keys in made.items()}


def _conditions(found: Iterable[Row]) -> Mapping[Subject, tuple[Condition, ...]]:
    made: dict[Subject, list[Condition]] = {}
    for row in found:
        made.setdefault(rows.to_subject(row), []).append(rows.to_condition(row))
    return {subject: tuple(seen) for subject, seen in made.items()}


def record_approval(connection: sqlite3.Connection, record: ApprovalRecord) -> None:
    """What was written first stays; only ``used`` grows, by whichever unit writes."""
    present = rows.APPROVALS.read(connection, (record.name,))
    if present:
        known = rows.to_approval(present[0])
        record = replace(known, used=known.used | record.used)
    rows.APPROVALS.sync(connection, (record.name,), [rows.of_approval(record)])


def last_event(connection: sqlite3.Connection) -> int:
    """The newest id ever given, also when that event was dropped meanwhile."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(found[0]) if found else 0


def record_deployment(connection: sqlite3.Connection, deployment: Deployment) -> None:
    """Adds it, or lets its status, end and message be what they are now. Raises ``InvalidInput`` for another change."""
    present = rows.DEPLOYMENTS.select(connection, "WHERE id = ?", (deployment.id,))
    if not present:
        number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM deployments").fetchone()[0]
        rows.DEPLOYMENTS.put(connection, rows.of_deployment(deployment, number))
        return
    old, new = present[0], cleaned(rows.of_deployment(deployment, int(present[0][0] or 0)))
    settled = len(old) - rows.STATUS_COLUMNS
    if old[:settled] != new[:settled]:
        raise InvalidInput(
            f"deployment {deployment.id}: {_changed(old[:settled], new[:settled])} cannot change any more"
        )
    if old != new:
        rows.DEPLOYMENTS.amend(connection, new, rows.STATUS_COLUMNS)


def _changed(old: Row, new: Row) -> str:
    names = rows.DEPLOYMENTS.columns
    return ", ".join(name for name, was, now in zip(names, old, new, strict=False) if was != now)

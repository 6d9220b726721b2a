"""Values of the core as rows, and back. Sets and maps inside a row are sorted JSON; times are seconds as floats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast, get_args

import orjson

from reconciler.errors import InvalidInput
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Progress
from reconciler.status.conditions import Condition, ConditionType, Truth
from reconciler.status.records import Deployment, DeploymentStatus, Event, Trigger
from reconciler.store.tables import Row, Table, Unsound, clean

Subject = ResourceKey | UnitKey

UNIT = ("target_kind", "target_name", "unit_project", "unit_environment")
KEY = ("kind", "project", "name", "environment")

INVENTORY = Table("inventory", (*UNIT, *KEY, "source", "deletion", "gate", "manifest"), 8)
PROGRESS = Table(
    "progress",
    (
        *UNIT,
        *KEY,
        *("generation", "since", "accepted", "failed", "message", "previous", "token"),
        *("rejected", "leaving", "drains"),
    ),
    8,
)
APPROVALS = Table("approvals", ("approval", "gate", "state", "identities", "units", "used"), 1)
DECLARED_PATHS = Table("declared_paths", ("source", "path"), 2)
DECLARED = Table("declared", ("source", "path", *KEY), 6)
CONDITIONS = Table(
    "conditions", (*UNIT, *KEY, "position", "type", "status", "reason", "message", "since", "revision"), 9
)
APPLIED = Table("applied", ("source", "revision"), 1)
HOLDS = Table("holds", (*UNIT, *KEY), 8)
EVENTS = Table("events", ("id", "at", "type", "message", "severity", "revision", *UNIT, *KEY), 1)
DEPLOYMENTS = Table(
    "deployments",
    (
        *("number", "id"),
        *UNIT,
        *KEY,
        *("generation", "release", "revision", "trigger", "started_at", "snapshot"),
        *("status", "finished_at", "message"),
    ),
    1,
)
STATUS_COLUMNS = 3
"""How many of a deployment's last columns may change."""

NOTHING = ("", "", "", "")
_STATES = get_args(Literal["accepted", "void"])


# --- keys


def of_key(key: ResourceKey | None) -> Row:
    return (key.kind, key.project, key.name, key.environment) if key else NOTHING


def of_unit(unit: UnitKey | None) -> Row:
    """Raises ``InvalidInput`` for a target that is neither a Server nor a Cluster of all projects."""
    if unit is None:
        return NOTHING
    if unit.target.project or unit.target.environment:
        raise InvalidInput(f"unit {unit}: its target {unit.target} belongs to a project; targets belong to none")
    return unit.target.kind, unit.target.name, unit.project, unit.environment


def of_subject(subject: Subject) -> Row:
    return (*of_unit(subject), *NOTHING) if isinstance(subject, UnitKey) else (*NOTHING, *of_key(subject))


def to_key(row: Row) -> ResourceKey:
    return ResourceKey(*cast("tuple[str, str, str, str]", row))


def to_unit(row: Row) -> UnitKey:
    kind, name, project, environment = cast("tuple[str, str, str, str]", row)
    return UnitKey(ResourceKey(kind, "", name), project, environment)


def to_subject(row: Row) -> Subject:
    return to_unit(row[:4]) if row[0] else to_key(row[4:8])


# --- sets and maps in one column


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _keys(keys: Iterable[ResourceKey]) -> str:
    return _dumps([of_key(key) for key in sorted(keys)])


def _units(units: Iterable[UnitKey]) -> str:
    return _dumps([of_unit(unit) for unit in sorted(units)])


# --- what is remembered


def of_entry(entry: Entry) -> Row:
    return (*of_unit(entry.unit), *of_key(entry.key), entry.source, entry.deletion, entry.gate, entry.manifest)


def to_entry(row: Row) -> Entry:
    return Entry(to_key(row[4:8]), to_unit(row[:4]), *cast("tuple[str, str, str, str]", row[8:]))


def of_progress(unit: UnitKey, key: ResourceKey, seen: Progress) -> Row:
    drains = _dumps({name: float(since) for name, since in seen.drains.items()})
    return (
        *of_unit(unit),
        *of_key(key),
        *(seen.generation, float(seen.since), int(seen.accepted), int(seen.failed)),
        *(seen.message, seen.previous, seen.token),
        *(_dumps(sorted(seen.rejected)), _dumps(sorted(seen.leaving)), drains),
    )


def to_progress(row: Row) -> Progress:
    generation, since, accepted, failed, message, previous, token, rejected, leaving, drains = cast(
        "tuple[str, float, int, int, str, str, str, str, str, str]", row[8:]
    )
    return Progress(
        generation,
        since,
        accepted=bool(accepted),
        failed=bool(failed),
        message=message,
        previous=previous,
        token=token,
        rejected=frozenset(json.loads(rejected)),
        leaving=frozenset(json.loads(leaving)),
        drains=json.loads(drains),
    )


def of_approval(record: ApprovalRecord) -> Row:
    return record.name, record.gate, record.state, _keys(record.identities), _units(record.units), _units(record.used)


def to_approval(row: Row) -> ApprovalRecord:
    name, gate, state, identities, units, used = cast("tuple[str, str, str, str, str, str]", row)
    if state not in _STATES:
        raise Unsound(f"approval {name} has the state {state!r}, which is none")
    return ApprovalRecord(
        name,
        gate,
        cast("Literal['accepted', 'void']", state),
        frozenset(to_key(tuple(key)) for key in json.loads(identities)),
        frozenset(to_unit(tuple(unit)) for unit in json.loads(units)),
        frozenset(to_unit(tuple(unit)) for unit in json.loads(used)),
    )


def of_condition(subject: Subject, position: int, seen: Condition) -> Row:
    detail = (seen.type.value, seen.status.value, seen.reason, seen.message, float(seen.since), seen.revision)
    return (*of_subject(subject), position, *detail)


def to_condition(row: Row) -> Condition:
    kind, status, reason, message, since, revision = cast("tuple[str, str, str, str, float, str]", row[9:])
    return Condition(ConditionType(kind), Truth(status), reason, message, since, revision)


# --- history


def of_event(event: Event, number: int) -> Row:
    detail = (float(event.at), event.type, event.message, event.severity, event.revision)
    return (number, *detail, *of_unit(event.unit), *of_key(event.key))


def to_event(row: Row) -> Event:
    number, at, kind, message, severity, revision = cast("tuple[int, float, str, str, str, str]", row[:6])
    unit, key = row[6:10], row[10:14]
    return Event(
        at,
        kind,
        message,
        key=to_key(key) if key != NOTHING else None,
        unit=to_unit(unit) if unit != NOTHING else None,
        severity=severity,
        revision=revision,
        id=number,
    )


def of_deployment(deployment: Deployment, number: int) -> Row:
    """Raises ``InvalidInput`` for a snapshot that is not plain JSON."""
    finished = None if deployment.finished_at is None else float(deployment.finished_at)
    return (
        *(number, deployment.id, *of_unit(deployment.unit), *of_key(deployment.key)),
        *(deployment.generation, deployment.release, deployment.revision, deployment.trigger.value),
        *(float(deployment.started_at), _snapshot(deployment)),
        *(deployment.status.value, finished, deployment.message),
    )


def to_deployment(row: Row) -> Deployment:
    generation, release, revision, trigger, started, snapshot, status, finished, message = cast(
        "tuple[str, str, str, str, float, str, str, float | None, str]", row[10:]
    )
    return Deployment(
        id=str(row[1]),
        key=to_key(row[6:10]),
        unit=to_unit(row[2:6]),
        generation=generation,
        release=release,
        revision=revision,
        trigger=Trigger(trigger),
        status=DeploymentStatus(status),
        started_at=started,
        finished_at=finished,
        message=message,
        snapshot=orjson.loads(snapshot),
    )


def _snapshot(deployment: Deployment) -> str:
    try:
        return clean(orjson.dumps(deployment.snapshot, default=_plain, option=orjson.OPT_SORT_KEYS).decode())
    except TypeError as error:
        raise InvalidInput(f"deployment {deployment.id}: its snapshot is not plain JSON: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)

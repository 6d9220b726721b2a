"""Gates: sets of identities that must not go on anybody's slip, and the Approvals that let exactly one set through.

A gate's digest is of its reason, its source and its sorted identities: no uid, step, time or revision, so that it stays
the same through restarts, rollouts and lost progress. What an Approval lets through is marked in the inventory before
the first delete, so that a half-done removal goes on; declaring the thing again clears the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.desired.fingerprint import digest
from reconciler.desired.objects import ApprovalObject, Desired
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import ApprovalRecord, Block, Gate, GateReason, Plan
from reconciler.plan.inputs import Inputs

_MANY = 10
_FEW = 5


def gate(reason: GateReason, source: str, identities: Iterable[ResourceKey], message: str = "") -> Gate:
    """The gate of a set."""
    keys = tuple(sorted(identities))
    return Gate(reason, source, keys, digest([reason.value, source, [str(key) for key in keys]], 16), message)


def is_vanished(entry: Entry, desired: Desired) -> bool:
    """It is on record, nobody declares it any more, and that is known for certain."""
    return (
        entry.key not in desired.declared
        and entry.key not in desired.renamed
        and not desired.held.holds(entry.key, target=entry.unit.target, source=entry.source)
    )


def mass_gates(desired: Desired, inventory: Inventory) -> list[Gate]:
    """The removals that are too many at once, per source: one gate over the source, or over the units that exceed."""
    entries = [entry for unit, held in sorted(inventory.items()) if not unit.is_furniture for entry in held.values()]
    found = []
    for source in sorted({entry.source for entry in entries}):
        own = [entry for entry in entries if entry.source == source and _is_resource(entry)]
        pending = [entry for entry in own if _is_pending(entry, desired)]
        identities, message = _too_many(source, own, pending, desired)
        if identities:
            found.append(gate(GateReason.MASS, source, identities, message))
    return found


def _too_many(source: str, own: list[Entry], pending: list[Entry], desired: Desired) -> tuple[set[ResourceKey], str]:
    alive = [entry for entry in own if not entry.gate]
    if pending and source not in desired.declared.values():
        return {e.key for e in pending}, f"the source declares nothing any more; all {len(pending)} resources would go"
    if _exceeds(len(pending), len(alive)):
        return {e.key for e in pending}, f"{len(pending)} of the source's {len(alive)} resources would go"
    return _too_many_in_units(alive, pending, desired)


def _too_many_in_units(alive: list[Entry], pending: list[Entry], desired: Desired) -> tuple[set[ResourceKey], str]:
    identities: set[ResourceKey] = set()
    said: list[str] = []
    for unit in sorted({entry.unit for entry in pending}):
        going = [entry.key for entry in pending if entry.unit == unit]
        total = sum(1 for entry in alive if entry.unit == unit)
        why = _vanished_whole(unit, desired)
        if why or _exceeds(len(going), total):
            identities.update(going)
            said.append(why or f"{len(going)} of {total} resources of {unit} would go")
    return identities, "; ".join(said)


def _exceeds(going: int, total: int) -> bool:
    return going > _MANY or (total >= _FEW and going * 2 > total)


def _vanished_whole(unit: UnitKey, desired: Desired) -> str:
    if unit.project not in desired.projects:
        return f"the Project {unit.project} is no longer declared"
    if (unit.project, unit.environment) not in desired.environments:
        return f"the Environment {unit.project}/{unit.environment} is no longer declared"
    if unit.target not in desired.targets:
        return f"{unit.target} is no longer declared"
    return ""


def _is_resource(entry: Entry) -> bool:
    """Data is never counted: it stays, or has a gate of its own."""
    return not entry.deletion


def _is_pending(entry: Entry, desired: Desired) -> bool:
    return not entry.gate and entry.key not in desired.deleted and is_vanished(entry, desired)


@dataclass(frozen=True, slots=True)
class Consent:
    """What people let through, as one pass of one unit sees it."""

    unit: UnitKey
    now: float
    approvals: tuple[ApprovalObject, ...]
    records: Mapping[str, ApprovalRecord]

    def opening(self, gate_: Gate) -> ApprovalObject | None:
        """The Approval that opens a gate now: it names its digest, has not expired, and was never used."""
        for approval in self.approvals:
            fresh = approval.name not in self.records and approval.expires_at > self.now
            if fresh and approval.gate == gate_.digest and approval.source == (gate_.source or approval.source):
                return approval
        return None

    def accept(self, gate_: Gate, approval: ApprovalObject, units: Iterable[UnitKey]) -> ApprovalRecord:
        """The record to write: this unit has used it, the others of the set still may, once each."""
        return ApprovalRecord(
            approval.name,
            gate_.digest,
            "accepted",
            identities=frozenset(gate_.identities),
            units=frozenset({*units, self.unit}),
            used=frozenset({self.unit}),
        )

    def granted(self) -> Iterator[ApprovalRecord]:
        """Accepted Approvals that this unit has not used yet."""
        for _, record in sorted(self.records.items()):
            if record.state == "accepted" and self.unit in record.units - record.used:
                yield record


def voided(desired: Desired) -> list[ApprovalRecord]:
    """Records for a ledger that was just made: Approvals that are in git already were given for another history."""
    return [ApprovalRecord(approval.name, approval.gate, "void") for approval in desired.approvals]


def forget_target(unit: UnitKey, inputs: Inputs) -> Plan:
    """A decommissioned target is not touched; an Approval of everything that was on it forgets it all."""
    everything = {
        key: entry.source
        for u, entries in inputs.inventory.items()
        if u.target == unit.target and not u.is_furniture
        for key, entry in entries.items()
    }
    consent = Consent(unit, inputs.now, inputs.desired.approvals, inputs.approvals)
    if not everything:
        return Plan(unit, inventory={}, claims={})
    name = unit.target.name
    message = f"{name} is decommissioned: what was on it would be forgotten"
    found = gate(GateReason.DECOMMISSION, "", everything, message)
    granted = [record for record in consent.granted() if record.gate == found.digest]
    approval = consent.opening(found)
    if granted:
        used = tuple(replace(record, used=record.used | {unit}) for record in granted)
        return Plan(unit, inventory={}, claims={}, approvals=used)
    if approval is not None:
        units = [u for u in inputs.inventory if u.target == unit.target and not u.is_furniture]
        return Plan(unit, inventory={}, claims={}, approvals=(consent.accept(found, approval, units),))
    block = Block(unit.target, "Decommissioned", f"{found.message}; {how_to_approve(found)}")
    return Plan(unit, blocks=(block,), gates=(found,), progress=inputs.progress)


def how_to_approve(closed: Gate) -> str:
    """The next step, in words."""
    return f"to let it through, commit an Approval with spec.gate: {closed.digest}"

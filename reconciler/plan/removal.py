"""What is on record and no longer wanted here: why it stays, or how it goes.

Nothing goes because something is unknown, unreadable or merely absent: it must be on record, certainly undeclared, and
let through by its gate where it has one. An entry leaves the inventory only when the target shows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reconciler.desired.objects import Desired, Workload
from reconciler.inventory import Entry, Inventory
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.once import Once, once
from reconciler.observed.snapshot import Collection, Instance, Snapshot, Target
from reconciler.plan.actions import ApprovalRecord, Gate, GateReason, Progress, Verb
from reconciler.plan.draft import Draft
from reconciler.plan.gates import Consent, gate, how_to_approve, mass_gates
from reconciler.plan.preparation import is_ready


@dataclass(slots=True)
class Removal:
    """Everything that goes from one unit, on one pass. ``entries`` is the unit's inventory as it will be on record."""

    draft: Draft
    desired: Desired
    snapshot: Snapshot
    target: Target
    inventory: Inventory
    consent: Consent
    entries: dict[ResourceKey, Entry]
    wanted: frozenset[ResourceKey]
    old_progress: dict[ResourceKey, Progress] = field(default_factory=dict)
    records: list[ApprovalRecord] = field(default_factory=list)
    kept: set[ResourceKey] = field(default_factory=set)
    unread: Once[bool] = once()

    @property
    def unit(self) -> UnitKey:
        return self.draft.unit

    def run(self) -> None:
        """Marks what people let through, then plans what may go."""
        self._mark_granted()
        self._adopt_orphans()
        closed = self._closed_by_mass()
        for key in sorted(set(self.entries) - self.wanted):
            self._one(self.entries[key], closed)

    # --- what people let through ------------------------------------------------------------------------------------

    def _mark_granted(self) -> None:
        for record in self.consent.granted():
            self._mark(record.identities, record.gate)
            self.records.append(replace(record, used=record.used | {self.unit}))

    def _mark(self, identities: Iterable[ResourceKey], digest: str) -> None:
        for key in identities:
            entry = self.entries.get(key)
            if entry is not None and key not in self.wanted:
                self.entries[key] = replace(entry, gate=digest)

    def open(self, found: Gate) -> bool:
        """Whether the gate is open; when it is, its set is marked. A closed one is shown."""
        approval = self.consent.opening(found)
        if approval is None:
            self.draft.gates.append(found)
            return False
        units = [u for u, held in self.inventory.items() if any(key in held for key in found.identities)]
        self._mark(found.identities, found.digest)
        self.records.append(self.consent.accept(found, approval, units))
        return True

    def _closed_by_mass(self) -> dict[ResourceKey, Gate]:
        closed: dict[ResourceKey, Gate] = {}
        for found in mass_gates(self.desired, {**self.inventory, self.unit: self.entries}):
            if any(key in self.entries for key in found.identities) and not self.open(found):
                closed.update(dict.fromkeys(found.identities, found))
        return closed

    def _adopt_orphans(self) -> None:
        """Marked as ours, undeclared, and on no record (a lost ledger): they go only by an Approval."""
        found = {
            o.key
            for o in self.target.instances.values()
            if o.ours and o.unit == self.unit and o.key not in self.entries and o.key not in self.wanted
        }
        found = {key for key in found if not self.desired.held.holds(key, target=self.unit.target)}
        found -= set(self.desired.declared)
        if not found:
            return
        gate_ = gate(GateReason.ORPHAN, "", found, "they bear our mark and are on no record")
        self.kept |= found
        approval = self.consent.opening(gate_)
        if approval is None:
            self.draft.gates.append(gate_)
            for key in found:
                self.draft.block(key, "Orphan", f"it bears our mark and is on no record; {how_to_approve(gate_)}")
            return
        self.entries.update({key: Entry(key, self.unit, gate=gate_.digest) for key in found})
        self.records.append(self.consent.accept(gate_, approval, ()))

    # --- one entry --------------------------------------------------------------------------------------------------

    def _one(self, entry: Entry, closed: dict[ResourceKey, Gate]) -> None:
        keep = self._why_it_stays(entry, closed)
        if keep:
            self.kept.add(entry.key)
            if not entry.deletion:
                self._carry_progress(entry.key)
        elif entry.deletion:
            self._remove_volume(entry)
        else:
            self._remove_resource(entry)

    def _why_it_stays(self, entry: Entry, closed: dict[ResourceKey, Gate]) -> bool:
        """Says why, and returns True, when an entry must not go now."""
        key = entry.key
        if self.desired.held.holds(key, target=self.unit.target, source=entry.source):
            self.draft.block(key, "DesiredUnknown", "what is wanted of it cannot be read; mend the manifest")
        elif key in self.desired.declared and key not in self.desired.planned and key not in self.desired.deleted:
            pass  # declared, and blocked as written: the block says why
        elif self._successor(key) is not None and not self._successor_ready(key):
            pass
        elif entry.deletion and self.unread.get(self._some_user_unknown):
            pass  # whoever may mount it cannot be read, and is told of already
        elif key in closed and not self.entries[key].gate:
            self.draft.block(key, "MassDeletion", f"{closed[key].message}; {how_to_approve(closed[key])}")
        elif key.written in self.desired.named:
            self.draft.block(key, "StillNamed", "another manifest still names it; mend that one, or bring it back")
        else:
            return False
        return True

    def _some_user_unknown(self) -> bool:
        """Whether a resource of this unit cannot be read: it may mount whatever is here."""
        holds = self.desired.held.holds
        resources = (entry for entry in self.entries.values() if not entry.deletion)
        return any(holds(entry.key, target=self.unit.target, source=entry.source) for entry in resources)

    def _successor(self, key: ResourceKey) -> Workload | None:
        """What takes its place: itself on another target, or what it was renamed to."""
        heir = self.desired.renamed.get(key, key)
        return self.desired.workload(heir)

    def _successor_ready(self, key: ResourceKey) -> bool:
        heir = self._successor(key)
        if heir is None:
            return True
        target = self.snapshot.get(heir.unit.target)
        has_route = any(r.resource == heir.key and r.unit == heir.unit for r in self.desired.routes)
        routed = not has_route or bool(target and target.routed(heir.key))
        if heir.running and not (is_ready(heir, self.snapshot) and routed):
            self.draft.wait(key, f"{heir.key} to be ready on {heir.unit.target.name}")
            return False
        return True

    def _carry_progress(self, key: ResourceKey) -> None:
        if key in self.old_progress:
            self.draft.progress[key] = self.old_progress[key]

    # --- how it goes ------------------------------------------------------------------------------------------------

    def _remove_resource(self, entry: Entry) -> None:
        key = entry.key
        instances = self.target.of(key)
        cause = self._cause(key)
        self._carry_progress(key)
        for instance in instances:
            self._remove_instance(key, instance, cause)
        if not instances and not self._remove_rest(key, cause):
            del self.entries[key]
            self.draft.progress.pop(key, None)

    def _cause(self, key: ResourceKey) -> str:
        if key in self.desired.renamed:
            return f"it is now {self.desired.renamed[key]}"
        heir = self._successor(key)
        if heir is not None:
            return f"it moved to {heir.unit.target.name}"
        return "desiredState is deleted" if key in self.desired.deleted else "it is no longer declared"

    def _remove_instance(self, key: ResourceKey, instance: Instance, cause: str) -> None:
        if instance.up and instance.name in self.target.routed(key):
            self.draft.wait(key, f"the route to leave {instance.name}")
        else:
            self.draft.act(key, Verb.REMOVE, instance.name, cause=cause, expects=instance.uid)

    def _remove_rest(self, key: ResourceKey, cause: str) -> bool:
        """Addresses, receipts and verdict of a resource whose instances are gone; True while any is left."""
        left = False
        for name, address in sorted(self.target.addresses.items()):
            if address.key == key and address.unit == self.unit:
                left = True
                self.draft.act(key, Verb.RELEASE_ADDRESS, name, cause=cause)
        for name, job in sorted(self.target.jobs.items()):
            if job.key == key and job.unit == self.unit and job.ours and job.slot.startswith("release:"):
                left = True
                self.draft.act(key, Verb.REMOVE_JOB, name, cause=cause, expects=job.uid)
        verdict = self.target.verdicts.get(key)
        if verdict is not None and verdict.unit == self.unit:
            left = True
            self.draft.act(key, Verb.CLEAR_VERDICT, str(key), cause=cause)
        return left or not self.target.knows(Collection.JOBS)

    def _remove_volume(self, entry: Entry) -> None:
        """Data last, and only when its policy allows it and an Approval lets it through."""
        key = entry.key
        found = next((v for v in self.target.volumes.values() if v.key == key and v.ours), None)
        if found is None:
            del self.entries[key]
        elif key in self.desired.renamed:
            del self.entries[key]  # it lives on under its new identity, where it is
        elif entry.deletion != "delete":
            message = f"kept with its data as {found.name}; deletionPolicy: delete and an Approval would remove it"
            self.draft.block(key, "DataRetained", message)
        elif self._in_use(found.name):
            self.draft.wait(key, "what mounts it to go")
        elif entry.gate or self.open(gate(GateReason.DATA, entry.source, [key], f"the data of {found.name} would go")):
            self.draft.act(key, Verb.DELETE_VOLUME, found.name, cause="it is no longer declared", expects=found.uid)
        else:
            closed = self.draft.gates[-1]
            self.draft.block(key, "DataDeletion", f"{closed.message}; {how_to_approve(closed)}")

    def _in_use(self, volume: str) -> bool:
        mounted = any(m.volume == volume for w in self.desired.workloads for m in w.template.mounts)
        leaving = [k for k in self.entries if k not in self.wanted and not self.entries[k].deletion]
        return mounted or any(self.target.of(key) for key in leaving)

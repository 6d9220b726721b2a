"""The pass of one environment on one target: volumes, rollouts, removals, and what it claims of its routes."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.names import instance_name
from reconciler.desired.objects import RouteObject, VolumeObject, Workload
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Target
from reconciler.plan.actions import Claim, Gate, GateReason, Plan, Verb
from reconciler.plan.draft import Draft
from reconciler.plan.gates import Consent, gate, how_to_approve
from reconciler.plan.grounds import bound_ports, links_of, missing_volumes, plan_addresses, plan_volume
from reconciler.plan.inputs import Inputs
from reconciler.plan.memory import brought_forward, is_stale
from reconciler.plan.preparation import Preparation
from reconciler.plan.removal import Removal
from reconciler.plan.rollout import Rollout, Scene
from reconciler.plan.serving import serving


class Environment:
    """One unit on one pass."""

    def __init__(self, unit: UnitKey, inputs: Inputs) -> None:
        self.unit, self.inputs = unit, inputs
        self.desired = inputs.desired
        self.target: Target = inputs.seen(unit.target)
        self.workloads = sorted((w for w in self.desired.workloads if w.unit == unit), key=lambda w: w.key)
        self.volumes = sorted((v for v in self.desired.volumes if v.unit == unit), key=lambda v: v.key)
        self.data = {v.name: v.key for v in self.volumes if not v.bind_path}
        self.before = dict(inputs.inventory.get(unit, {}))
        self.elsewhere = [(u, e) for u, e in sorted(inputs.inventory.items()) if u.target != unit.target]
        self.draft = self._draft()
        known = inputs.known(unit.target)
        self.edge = known is not None and known.edge is not None
        self.left_alone: set[ResourceKey] = set()

    def plan(self) -> Plan:
        """Everything in order; what must be on record is read off at the end."""
        removal = self._removal()
        for volume in self.volumes:
            plan_volume(volume, self.target, self.draft, known=volume.key in self.before)
        for workload in self.workloads:
            self._workload(workload, removal)
        for block in self.desired.blocks:
            if block.unit == self.unit:
                self._blocked(block.key, block.reason, str(block.problem))
        removal.run()
        self.left_alone |= removal.kept
        self._claim()
        frozen = self.draft.freeze()
        return replace(
            frozen,
            inventory=dict(sorted(removal.entries.items())),
            approvals=tuple(removal.records),
            claims=dict(sorted(self.draft.claims.items())),
        )

    # --- what the pass begins with ----------------------------------------------------------------------------------

    def _draft(self) -> Draft:
        policy = self.desired.units.get(self.unit)
        draft = Draft(self.unit, self.inputs.now, hold=self._hold())
        if policy is not None and policy.hold:
            place = ResourceKey("Environment", self.unit.project, self.unit.environment)
            draft.block(place, policy.hold, policy.message)
        for workload in self.workloads:
            if workload.hold or workload.key in self.inputs.holds or workload.key.written in self.inputs.holds:
                draft.holds[workload.key] = workload.hold or "Held"
            if workload.report_drift:
                draft.reports_drift.add(workload.key)
        if policy is not None and policy.report_drift:
            draft.reports_drift.update(item.key for item in self.volumes)
        return draft

    def _hold(self) -> str:
        policy = self.desired.units.get(self.unit)
        if self.unit in self.inputs.holds or self.unit.furniture in self.inputs.holds:
            return "Held"
        return policy.hold if policy is not None else ""

    def _removal(self) -> Removal:
        entries = dict(self.before)
        wanted: list[Workload | VolumeObject] = [*self.workloads, *self.volumes]
        for item in wanted:
            entries[item.key] = self._intended(item)
        return Removal(
            self.draft,
            self.desired,
            self.inputs.snapshot,
            self.target,
            self.inputs.inventory,
            Consent(self.unit, self.inputs.now, self.desired.approvals, self.inputs.approvals),
            entries,
            frozenset(item.key for item in wanted),
            dict(self.inputs.progress),
        )

    def _intended(self, item: Workload | VolumeObject) -> Entry:
        """Declared again, so a mark of its removal is void; that a move was let through stays on record."""
        old = self.before.get(item.key)
        moved = self._move_gate(item) if isinstance(item, Workload) else None
        mark = moved.digest if moved is not None and old is not None and old.gate == moved.digest else ""
        deletion = item.deletion if isinstance(item, VolumeObject) else ""
        return Entry(item.key, self.unit, item.source, deletion, gate=mark)

    # --- one resource -----------------------------------------------------------------------------------------------

    def _workload(self, workload: Workload, removal: Removal) -> None:
        key = workload.key
        scene = self._scene(workload)
        verdict = self.target.verdicts.get(key)
        self.draft.progress[key] = brought_forward(
            workload,
            self.inputs.progress.get(key),
            instances=scene.instances,
            verdict=verdict,
            accepted_now=workload.running and scene.whole,
            now=self.inputs.now,
        )
        if self._stopped_by(workload, removal):
            return
        rollout = Rollout(scene, self.draft)
        if verdict is not None and is_stale(verdict, workload):
            self.draft.act(key, Verb.CLEAR_VERDICT, str(key), cause="another generation, or another try, is wanted")
        elif verdict is None and self.draft.progress[key].failed:
            rollout.record_verdict()
        if self._stands(workload):
            preparation = Preparation(rollout, self.desired, self.inputs.snapshot, self.target)
            rollout.step(preparation.ready)

    def _scene(self, workload: Workload) -> Scene:
        links, _ = links_of(workload, self.desired, self.inputs.snapshot)
        return Scene(
            workload,
            self.target.of(workload.key),
            routed=self.target.routed(workload.key) if self.edge else frozenset(),
            has_route=self.edge and any(map(self._leads_here, self.desired.routes_of(workload.key, self.unit))),
            links=links,
            addresses=bound_ports(workload, self.target),
            differences=self.inputs.differences,
        )

    def _leads_here(self, route: RouteObject) -> bool:
        """Whether instances are to be seen in a route; one that has to wait is there for nobody yet."""
        there = route.withheld is None or route.id in self.target.routes
        return not route.shape.redirect_to and there

    def _stopped_by(self, workload: Workload, removal: Removal) -> bool:
        """What forbids to go on with a resource at all: a taken name, data that would stay behind."""
        for ordinal in range(workload.replicas):
            taken = self.target.instances.get(instance_name(workload, ordinal))
            if taken is not None and not taken.ours:
                message = f"{taken.name} is there and is not ours; remove it, or rename the resource"
                return self._blocked(workload.key, "ExistsNotOurs", message)
        moved = self._move_gate(workload)
        if moved is None or removal.entries[workload.key].gate == moved.digest:
            return False
        if removal.open(moved):
            removal.entries[workload.key] = replace(removal.entries[workload.key], gate=moved.digest)
            return False
        return self._blocked(workload.key, "DataWouldStay", f"{moved.message}; {how_to_approve(moved)}")

    def _blocked(self, key: ResourceKey, reason: str, message: str) -> bool:
        self.draft.block(key, reason, message)
        self.left_alone.add(key)
        if key in self.inputs.progress:
            self.draft.progress[key] = self.inputs.progress[key]
        return True

    def _move_gate(self, workload: Workload) -> Gate | None:
        """The gate of a resource whose data is on another target, on record."""
        mounted = {m.volume for m in workload.template.mounts if m.mode == "rw"}
        own = {self.data[name] for name in mounted & self.data.keys()}
        for unit, entries in self.elsewhere:
            left = sorted(own & entries.keys())
            if left and workload.key in entries:
                message = f"its data ({left[0]}) is on {unit.target.name} and would stay there"
                return gate(GateReason.MOVE, workload.source, [workload.key], message)
        return None

    def _stands(self, workload: Workload) -> bool:
        """Volumes, addresses and links are there; what is missing is planned or waited for."""
        if not workload.running:
            return True
        there = plan_addresses(workload, self.desired, self.target, self.draft)
        missing = [f"volume {name}" for name in missing_volumes(workload, self.target)]
        missing += links_of(workload, self.desired, self.inputs.snapshot)[1]
        for what in missing:
            self.draft.wait(workload.key, what)
        return there and not missing

    # --- routes -----------------------------------------------------------------------------------------------------

    def _claim(self) -> None:
        """What the furniture is to do with our routes; what is left alone, stays as it is."""
        by_key = {w.key: w for w in self.workloads}
        for route in self.desired.routes:
            if route.unit == self.unit:
                self._say(self._claim_of(route, by_key.get(route.resource)))
        said = {claim.id for claim in self.draft.claims.values()}
        for route_id, found in self.target.routes.items():
            left = self.draft.hold or found.resource in self.left_alone
            if found.unit == self.unit and route_id not in said and left:
                self._say(Claim(route_id, found.resource, self.unit))

    def _say(self, claim: Claim) -> None:
        """Two resources of one environment may claim one route: both are heard, and the furniture decides."""
        self.draft.claims[f"{claim.id} {claim.resource}"] = claim

    def _claim_of(self, route: RouteObject, workload: Workload | None) -> Claim:
        route_id, resource = route.id, route.resource
        if self.draft.reason_against(resource) or resource in self.left_alone:
            return Claim(route_id, resource, self.unit)
        if route.shape.redirect_to:
            return Claim(route_id, resource, self.unit, frozenset())
        if workload is not None and workload.static:
            artifact = workload.template.artifact.name
            there = workload.running and artifact in self.target.artifacts
            return Claim(route_id, resource, self.unit, frozenset() if there else None, artifact if there else "")
        found = self.target.routes.get(route_id)
        current = found.upstreams if found is not None and found.resource == resource else frozenset()
        progress = self.draft.progress.get(resource)
        names = serving(
            workload,
            self.target.of(resource),
            routed=current,
            failed=progress is not None and progress.failed,
            leaving=progress.leaving if progress is not None else frozenset(),
        )
        return Claim(route_id, resource, self.unit, names if names or current else None)

"""A target's furniture: its edge, from what the environments claim, and the artifacts that nobody needs any more.

The edge gets at most one write a pass: all routes that are ours, together. An environment that has not spoken in this
daemon's life is unknown: its routes stay. A route goes only when nobody declares it; of two claimants the present
holder stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.desired.objects import Desired, EdgeCertificate, RouteObject, TargetObject
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Collection, EdgeState, JobState, Route, RouteShape, Target
from reconciler.plan.actions import Claim, Claims, EdgeSpec, Verb
from reconciler.plan.draft import Draft
from reconciler.plan.targets import edge_settings

_SHOWN = 3


@dataclass(slots=True)
class EdgePlan:
    """The edge of one target on one pass. ``routes`` are those that are to be there, ``changes`` why it is written."""

    draft: Draft
    owner: TargetObject
    target: Target
    desired: Desired
    claims: Claims
    neighbours: frozenset[UnitKey]
    routes: list[Route] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    drift: bool = False

    @property
    def key(self) -> ResourceKey:
        return self.owner.key

    def plan(self) -> None:
        """Starts the edge where it is wanted, then brings its routes to what is claimed."""
        state = self.target.edge.state
        if self.owner.edge is None:
            if state is not EdgeState.ABSENT:
                self.draft.act(self.key, Verb.STOP_EDGE, self.key.name, cause="the server has no edge proxy any more")
        elif state is not EdgeState.RUNNING:
            cause = f"it is down: {self.target.edge.detail}" if state is EdgeState.DOWN else "it is declared"
            spec = EdgeSpec(self.owner.edge)
            down = state is EdgeState.DOWN
            self.draft.act(self.key, Verb.START_EDGE, self.key.name, cause=cause, payload=spec, drift=down)
        elif not self.target.knows(Collection.ROUTES):
            message = f"{self.key.name}: its routes cannot be read: {self.target.trouble}"
            self.draft.block(self.key, "Unknown", message)
        else:
            self._routes(EdgeSpec(self.owner.edge))

    def _routes(self, spec: EdgeSpec) -> None:
        self._listeners(spec)
        claimed = self._claimed()
        for route_id in sorted({*claimed, *self.target.routes}):
            self._route(route_id, self.target.routes.get(route_id), claimed.get(route_id, []))
        if self.changes:
            told = "; ".join(self.changes[:_SHOWN])
            more = len(self.changes) - _SHOWN
            cause = f"{told}; and {more} more" if more > 0 else told
            payload = replace(spec, routes=tuple(self.routes), certificates=self._certificates())
            name = self.key.name
            self.draft.act(self.key, Verb.CONFIGURE_EDGE, name, cause=cause, payload=payload, drift=self.drift)

    def _listeners(self, spec: EdgeSpec) -> None:
        """Where it listens and who certifies, as it was last told; and whether all of that is still so."""
        seen = self.target.edge
        if seen.settings != edge_settings(spec.edge):
            self.changes.append("its listeners are declared otherwise" if seen.settings else "it is new")
        elif seen.altered:
            self.changes.append("its listeners were changed by somebody else")
            self.drift = True

    def _certificates(self) -> tuple[EdgeCertificate, ...]:
        """Those that the routes name, sorted."""
        named = {route.shape.tls for route in self.routes}
        usable = {c.usable.name: c.usable for c in self.desired.certificates if c.usable is not None}
        return tuple(usable[name] for name in sorted(named & usable.keys()))

    def _claimed(self) -> dict[str, list[Claim]]:
        by_id: dict[str, list[Claim]] = {}
        for unit in sorted(self.neighbours):
            for claim in self.claims.get(unit, {}).values():
                by_id.setdefault(claim.id, []).append(claim)
        return by_id

    def _route(self, route_id: str, found: Route | None, claims: list[Claim]) -> None:
        key = ResourceKey("Route", "", route_id)
        if found is not None and not found.ours:
            if claims:
                self.draft.block(key, "ExistsNotOurs", f"a route {route_id} is there and is not ours")
        elif found is not None and found.unit in self.neighbours - set(self.claims):
            self._keep(found)
            self.draft.wait(key, f"a first pass of {found.unit}")
        elif not claims:
            self._drop(key, found)
        else:
            claim = self._heard(key, claims, found)
            if claim is not None:
                self._put(claim, found)
            elif found is not None:
                self._keep(found)

    def _keep(self, found: Route) -> None:
        """As it is, and as it was written if somebody altered it."""
        if found.altered:
            self.changes.append(f"{found.id} was changed by somebody else")
            self.drift = True
        self.routes.append(replace(found, altered=False))

    def _drop(self, key: ResourceKey, found: Route | None) -> None:
        if found is None:
            return
        if self._may_be_declared(found):
            self.draft.block(key, "DesiredUnknown", "a manifest cannot be read, so the route stays")
            self._keep(found)
        else:
            self.changes.append(f"{key.name} is no longer declared")

    def _may_be_declared(self, found: Route) -> bool:
        """Something that cannot be read may declare it: its source, its resource, or some Domain of its project."""
        held = self.desired.held
        domains = any(key.kind == "Domain" and key.project == found.resource.project for key in held.keys)
        return bool(held.sources) or domains or held.holds(found.resource, target=self.key)

    def _put(self, claim: Claim, found: Route | None) -> None:
        wanted = self._wanted(claim, found)
        if wanted is None:
            if found is not None:
                self._keep(found)
            return
        if found is not None and found == wanted:
            self.routes.append(found)
            return
        if found is not None and replace(found, altered=False) == wanted:
            self._keep(found)
            return
        by = ", ".join(sorted(wanted.upstreams)) or wanted.shape.redirect_to or wanted.shape.static or "nothing"
        self.changes.append(f"{claim.id} is answered by {by}")
        self.routes.append(wanted)

    def _wanted(self, claim: Claim, found: Route | None) -> Route | None:
        """The route that a claim asks for; None: leave it as it is. What is left alone keeps who answers."""
        told = self._told(claim)
        if told is None or self._is_withheld(told, found):
            return None
        upstreams = claim.upstreams
        if upstreams is None:
            if found is None or found.resource != claim.resource or told.shape.redirect_to:
                return None
            upstreams = found.upstreams
        shape = told.shape if told.withheld is None or found is None else self._shape_beside(told, found)
        if told.internal:
            address = self.target.addresses.get(told.id)
            if address is None:
                return None
            shape = replace(shape, listen=f"{address.host}:{address.port}")
        if claim.static or (found is not None and claim.upstreams is None):
            shape = replace(shape, static=claim.static or (found.shape.static if found is not None else ""))
        return Route(claim.id, claim.resource, claim.unit, upstreams, shape, self._dials(upstreams, told.port, found))

    def _is_withheld(self, told: RouteObject, found: Route | None) -> bool:
        """Whether a route must not come into being yet, which is said; one that is there stays this resource's."""
        held = told.withheld
        if held is None:
            return False
        there = found is not None and found.resource == told.resource
        if held.waiting and not there:
            self.draft.wait(told.resource, f"{told.id}: {held.message}")
        elif not held.waiting and (held.keeps_shape or not there):
            kept = "what is there stays" if there else "it gets no route"
            self.draft.block(told.resource, held.reason, f"{told.id}: {kept}: {held.message}")
        return not there

    def _shape_beside(self, told: RouteObject, found: Route) -> RouteShape:
        """What is wrong as it is written changes nothing of a route that is there."""
        keeps = told.withheld is not None and told.withheld.keeps_shape
        return replace(found.shape, listen="", static="") if keeps else told.shape

    def _told(self, claim: Claim) -> RouteObject | None:
        return next((r for r in self.desired.routes_of(claim.resource, claim.unit) if r.id == claim.id), None)

    def _dials(self, upstreams: frozenset[str], port: str, found: Route | None) -> dict[str, str]:
        """Where each instance listens; of one that is gone, where it did."""
        known = dict(found.dials) if found is not None else {}
        for name in upstreams:
            instance = self.target.instances.get(name)
            if instance is not None and port in instance.ports:
                known[name] = f"127.0.0.1:{instance.ports[port]}"
        return {name: known[name] for name in sorted(upstreams) if name in known}

    def _heard(self, key: ResourceKey, claims: list[Claim], found: Route | None) -> Claim | None:
        """The only claim; of several that of the present holder, whose releases go on; None when nobody holds it."""
        if len(claims) == 1:
            return claims[0]
        holder = next((c for c in claims if found is not None and c.resource == found.resource), None)
        keeps = f"{holder.resource} keeps it" if holder is not None else "nobody gets it"
        for claim in claims:
            if claim is not holder:
                others = " and ".join(sorted(str(c.resource) for c in claims if c is not claim))
                message = f"{key.name} is claimed by {others} too; {keeps}: declare it once{self._places(claims)}"
                self.draft.block(claim.resource, "DomainConflict", message)
        return holder

    def _places(self, claims: list[Claim]) -> str:
        """Where each claim is written, for whoever has to take one back."""
        told = [route for claim in claims if (route := self._told(claim)) is not None and route.place.path]
        return f" ({', '.join(f'{route.resource} at {route.place}' for route in told)})" if told else ""


def plan_artifacts(target: Target, desired: Desired, draft: Draft) -> None:
    """Artifacts and builds that no wanted and no observed instance is made of."""
    if not target.knows(Collection.INSTANCES, Collection.ARTIFACTS, Collection.JOBS) or desired.held.sources:
        return
    needed = _needed(target, desired, draft.unit)
    for job in sorted(target.jobs.values(), key=lambda j: j.name):
        artifact = job.slot.removeprefix("build:")
        if artifact != job.slot and artifact not in needed and job.ours:
            if job.state is JobState.RUNNING:
                needed |= {artifact}
            else:
                cause = "nothing is made of it any more"
                draft.act(draft.unit.target, Verb.REMOVE_JOB, job.name, cause=cause, expects=job.uid)
    for artifact in sorted(target.artifacts - needed - _sources_of_builds(target, desired)):
        draft.act(draft.unit.target, Verb.REMOVE_ARTIFACT, artifact, cause="nothing is made of it any more")


def _needed(target: Target, desired: Desired, unit: UnitKey) -> frozenset[str]:
    wanted = {
        name
        for w in desired.workloads
        if w.unit.target == unit.target
        for name in (w.template.artifact.name, w.template.artifact.id)
    }
    blocked = {block.key for block in desired.blocks}
    held = {i.artifact for i in target.instances.values()} | {r.shape.static for r in target.routes.values()}
    return frozenset(wanted | held) if not blocked else frozenset(wanted | held | target.artifacts)


def _sources_of_builds(target: Target, desired: Desired) -> frozenset[str]:
    """Trees that an open build still reads."""
    open_ = {j.key for j in target.jobs.values() if j.state in (JobState.RUNNING, JobState.CREATED)}
    return frozenset(w.template.artifact.id for w in desired.workloads if w.key in open_)

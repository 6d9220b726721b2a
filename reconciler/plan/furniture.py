"""A target's furniture: its routes, from what the environments claim, and the artifacts that nobody needs any more.

An environment that has not spoken in this daemon's life is unknown: its routes stay. A route goes only when nobody
declares it; of two claimants the present holder stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.desired.objects import Desired
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Collection, JobState, Route, Target
from reconciler.plan.actions import Claim, Claims, RouteSpec, Verb
from reconciler.plan.draft import Draft


def plan_routes(target: Target, desired: Desired, claims: Claims, neighbours: Iterable[UnitKey], draft: Draft) -> None:
    """The union of the latest claims, against what the edge does."""
    by_id: dict[str, list[Claim]] = {}
    silent = set()
    for unit in neighbours:
        if unit in claims:
            for claim in claims[unit].values():
                by_id.setdefault(claim.id, []).append(claim)
        else:
            silent.add(unit)
    for route_id in sorted({*by_id, *target.routes}):
        found = target.routes.get(route_id)
        holder_is_silent = found is not None and found.unit in silent
        _plan_route(_Claimed(route_id, found, by_id.get(route_id, []), holder_is_silent), desired, draft)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """One route as it is found, and as it is claimed; a silent holder has not had a pass in this daemon's life."""

    id: str
    found: Route | None
    claims: list[Claim]
    holder_is_silent: bool


def _plan_route(claimed: _Claimed, desired: Desired, draft: Draft) -> None:
    route_id, found, claims = claimed.id, claimed.found, claimed.claims
    key = ResourceKey("Route", "", route_id)
    if found is not None and not found.ours:
        if claims:
            draft.block(key, "ExistsNotOurs", f"a route {route_id} is there and is not ours")
    elif found is not None and claimed.holder_is_silent:
        draft.wait(key, f"a first pass of {found.unit}")
    elif not claims:
        _drop_route(key, route_id, desired, draft)
    else:
        claim = _heard(key, claims, found, draft)
        if claim is not None and claim.upstreams is not None and not _matches(found, claim):
            _put_route(key, claim, draft)


def _heard(key: ResourceKey, claims: list[Claim], found: Route | None, draft: Draft) -> Claim | None:
    """The only claim; of several that of the present holder, whose releases go on; None when nobody holds it."""
    if len(claims) == 1:
        return claims[0]
    holder = next((c for c in claims if found is not None and c.resource == found.resource), None)
    keeps = f"{holder.resource} keeps it" if holder is not None else "nobody gets it"
    for claim in claims:
        if claim is not holder:
            others = " and ".join(sorted(str(c.resource) for c in claims if c is not claim))
            message = f"{key.name} is claimed by {others} too; {keeps}: declare it once"
            draft.block(claim.resource, "DomainConflict", message)
    return holder


def _drop_route(key: ResourceKey, route_id: str, desired: Desired, draft: Draft) -> None:
    if desired.held.sources or key in desired.held.keys:
        draft.block(key, "DesiredUnknown", "a manifest cannot be read, so the route stays")
    else:
        draft.act(key, Verb.DELETE_ROUTE, route_id, cause="the domain is no longer declared")


def _put_route(key: ResourceKey, claim: Claim, draft: Draft) -> None:
    upstreams = claim.upstreams or frozenset()
    cause = f"{claim.resource} is served by {', '.join(sorted(upstreams)) or 'nothing'}"
    spec = RouteSpec(claim.id, claim.resource, claim.unit, upstreams)
    draft.act(key, Verb.PUT_ROUTE, claim.id, cause=cause, payload=spec)


def _matches(found: Route | None, claim: Claim) -> bool:
    return found is not None and found.resource == claim.resource and found.upstreams == claim.upstreams


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
    held = {i.artifact for i in target.instances.values()}
    return frozenset(wanted | held) if not blocked else frozenset(wanted | held | target.artifacts)


def _sources_of_builds(target: Target, desired: Desired) -> frozenset[str]:
    """Trees that an open build still reads."""
    open_ = {j.key for j in target.jobs.values() if j.state in (JobState.RUNNING, JobState.CREATED)}
    return frozenset(w.template.artifact.id for w in desired.workloads if w.key in open_)

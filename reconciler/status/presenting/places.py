"""Where resources live: projects, environments, servers and clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Collection, EdgeState, Target
from reconciler.status import health, parts, views
from reconciler.status.masking import clear
from reconciler.status.parts import EdgeProxyStatus
from reconciler.status.presenting import pieces, resources
from reconciler.status.presenting.picture import Picture

# --- projects ---------------------------------------------------------------------------------------------------------


def projects(picture: Picture) -> list[str]:
    """Every project that is declared, or of which something is left."""
    left = {key.project for key in picture.resources()}
    return sorted(name for name in picture.published.desired.projects | left if name)


def project_summary(picture: Picture, name: str) -> views.ProjectSummary:
    return views.ProjectSummary.model_validate(_project(picture, name))


def project_view(picture: Picture, name: str) -> views.ProjectView:
    key = ResourceKey("Project", "", name)
    document = picture.published.catalog.documents.get(key)
    raw = document.raw if document else {}
    return views.ProjectView.model_validate(
        {
            **_project(picture, name),
            "generated_at": picture.generated_at,
            "display_name": str(raw.get("displayName") or ""),
            "description": str(raw.get("description") or ""),
            "manifest": pieces.manifest(picture, key),
            "environment_names": tuple(e for p, e in environments(picture) if p == name),
        }
    )


def _project(picture: Picture, name: str) -> dict[str, object]:
    keys = [key for key in picture.resources() if key.project == name]
    return {
        "id": name,
        "name": name,
        "declared": name in picture.published.desired.projects,
        "environments": sum(1 for project, _ in environments(picture) if project == name),
        "resources": len(keys),
        **_healths(picture, keys),
    }


def _healths(picture: Picture, keys: Iterable[ResourceKey]) -> dict[str, object]:
    found = [resources.summary(picture, key).health for key in keys]
    return {"health": health.worst(found), "counts": health.counts(found)}


# --- environments -----------------------------------------------------------------------------------------------------


def environments(picture: Picture) -> list[tuple[str, str]]:
    """Every (project, environment) that is declared, planned, or of which something is left."""
    known = {(key.project, key.environment) for key in picture.units if key.environment}
    planned = {(u.project, u.environment) for u in _units(picture)}
    return sorted(known | planned | picture.published.desired.environments)


def _units(picture: Picture, environment: tuple[str, str] | None = None) -> list[UnitKey]:
    """The environment units (of one environment: one for each target it is on)."""
    published = picture.published
    units = {*published.desired.units, *published.plans, *published.inventory}
    here = {u for u in units if not u.is_furniture}
    return sorted(u for u in here if environment is None or (u.project, u.environment) == environment)


def environment_summary(picture: Picture, environment: tuple[str, str]) -> views.EnvironmentSummary:
    return views.EnvironmentSummary.model_validate(_environment(picture, environment))


def environment_view(picture: Picture, environment: tuple[str, str]) -> views.EnvironmentView:
    units = _units(picture, environment)
    plans = [(unit, picture.published.plans[unit]) for unit in units if unit in picture.published.plans]
    keys = _in(picture, environment)
    return views.EnvironmentView.model_validate(
        {
            **_environment(picture, environment),
            "generated_at": picture.generated_at,
            "conditions": tuple(c for unit in units for c in pieces.conditions(picture, unit)),
            "resource_names": tuple(key.name for key in keys),
            "volumes": volumes(picture, units),
            "waits": tuple(pieces.wait(w) for _, p in plans for w in p.waits),
            "blocks": tuple(pieces.block(picture, b) for key in keys for b in picture.blocks.get(key, [])),
            "gates": tuple(pieces.gate(picture, unit, g) for unit, p in plans for g in p.gates),
        }
    )


def _in(picture: Picture, environment: tuple[str, str]) -> list[ResourceKey]:
    return [key for key in picture.resources() if (key.project, key.environment) == environment]


def _environment(picture: Picture, environment: tuple[str, str]) -> dict[str, object]:
    project, name = environment
    units, keys = _units(picture, environment), _in(picture, environment)
    target = units[0].target if units else None
    policies = [picture.published.desired.units[u] for u in units if u in picture.published.desired.units]
    held = any(u in picture.published.holds for u in units)
    return {
        "id": f"{project}/{name}",
        "project": project,
        "name": name,
        "target": pieces.where(target),
        "resources": len(keys),
        "hold": next((p.hold for p in policies if p.hold), "held" if held else ""),
        "message": clear(next((p.message for p in policies if p.message), "")),
        "observed_at": picture.observed_at(target),
        "freshness": picture.freshness(target),
        **_healths(picture, keys),
    }


def volumes(picture: Picture, units: Sequence[UnitKey]) -> tuple[parts.VolumeView, ...]:
    """Declared ones, and those that are still there."""
    found = {v.key: v for u in units for v in picture.target(u.target).volumes.values() if v.unit == u}
    wanted = {v.key: v for v in picture.volumes.values() if v.unit in units}
    known = all(picture.target(u.target).knows(Collection.VOLUMES) for u in units)
    return tuple(
        parts.VolumeView(
            resource=str(key),
            name=wanted[key].name if key in wanted else found[key].name,
            deletion=wanted[key].deletion if key in wanted else "retain",
            declared=key in wanted,
            present=True if key in found else (False if known else None),
            path=found[key].path if key in found else "",
        )
        for key in sorted({*found, *wanted})
    )


# --- servers and clusters ---------------------------------------------------------------------------------------------


def targets(picture: Picture) -> list[ResourceKey]:
    """Every target that is declared, seen, or has something of ours."""
    published = picture.published
    return sorted({*published.desired.targets, *published.snapshot, *(u.target for u in published.inventory)})


def server_summary(picture: Picture, key: ResourceKey) -> views.ServerSummary:
    return views.ServerSummary.model_validate(_server(picture, key))


def server_view(picture: Picture, key: ResourceKey) -> views.ServerView:
    declared = picture.published.desired.targets.get(key)
    units = [u for u in _units(picture) if u.target == key]
    return views.ServerView.model_validate(
        {
            **_server(picture, key),
            "generated_at": picture.generated_at,
            "manifest": pieces.manifest(picture, key),
            "edge": bool(declared and declared.edge),
            "unknown": tuple(sorted(c.value for c in picture.target(key).unknown)),
            "environment_ids": tuple(f"{u.project}/{u.environment}" for u in units),
            "volumes": volumes(picture, units),
            "conditions": pieces.conditions(picture, UnitKey(key)) or pieces.conditions(picture, key),
        }
    )


def _server(picture: Picture, key: ResourceKey) -> dict[str, object]:
    declared, seen = picture.published.desired.targets.get(key), picture.published.snapshot.get(key)
    units = [u for u in _units(picture) if u.target == key]
    return {
        "id": str(key),
        "name": key.name,
        "kind": key.kind,
        "engine": declared.engine if declared else "",
        "lifecycle": declared.lifecycle if declared else "",
        "connectivity": health.connectivity(seen),
        "message": clear(seen.trouble) if seen else "nobody has looked yet",
        "edge_proxy": _edge_proxy(seen, declared=declared is not None and declared.edge is not None),
        "environments": len(units),
        "resources": sum(1 for k, unit in picture.units.items() if unit.target == key and k.kind == "Resource"),
        "instances": _instances(seen),
        "observed_at": picture.observed_at(key),
        "freshness": picture.freshness(key),
    }


def _edge_proxy(seen: Target | None, *, declared: bool) -> EdgeProxyStatus:
    """What is there counts before what is wanted: a proxy that nobody wants any more still runs until it is stopped."""
    state = seen.edge.state if seen is not None else EdgeState.ABSENT
    if state is EdgeState.ABSENT:
        return EdgeProxyStatus.PENDING if declared else EdgeProxyStatus.DISABLED
    return EdgeProxyStatus.READY if state is EdgeState.RUNNING else EdgeProxyStatus.FAILED


def _instances(seen: Target | None) -> int:
    return sum(i.up and i.ours for i in seen.instances.values()) if seen else 0

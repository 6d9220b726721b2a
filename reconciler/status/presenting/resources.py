"""A resource in one environment: in a line, and in full."""

from __future__ import annotations

from reconciler.desired.objects import Probe, Workload
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Address, Collection
from reconciler.plan.serving import serving
from reconciler.status import health, parts, views
from reconciler.status.conditions import Condition
from reconciler.status.masking import clear
from reconciler.status.presenting import drift, pieces, routes, variables
from reconciler.status.presenting.picture import Picture, instant


def summary(picture: Picture, key: ResourceKey) -> views.ResourceSummary:
    """One line of a list."""
    return views.ResourceSummary.model_validate(_summary(picture, key))


def view(picture: Picture, key: ResourceKey) -> views.ResourceView:
    """Everything that may be said of one resource."""
    return views.ResourceView.model_validate(
        {
            **_summary(picture, key),
            **_declaration(picture, key),
            **_runtime(picture, key),
            **_plan(picture, key),
            "generated_at": picture.generated_at,
        }
    )


def _summary(picture: Picture, key: ResourceKey) -> dict[str, object]:
    workload, progress = picture.workloads.get(key), picture.published.progress.get(key)
    instances, known = picture.instances.get(key, []), picture.knows(key)
    unit = picture.units.get(key)
    target = unit.target if unit else None
    said = pieces.ready(picture, key)
    overall = health.overall(workload, progress, instances, known=known)
    lifecycle = health.lifecycle(workload, progress, instances, known=known)
    if workload is not None and workload.static:
        overall, lifecycle = health.of_site(workload, picture.target_of(key), known=known)
    return {
        "id": pieces.path(key),
        "kind": key.kind,
        "project": key.project,
        "environment": key.environment,
        "name": key.name,
        "target": pieces.where(target),
        "declared": _declared(picture, key),
        "desired_state": _desired_state(picture, key),
        "health": overall,
        "lifecycle": lifecycle,
        "replicas": _replicas(picture, key),
        "serving": _serving(picture, key),
        "url": next(iter(_urls(picture, key)), ""),
        "observed_at": picture.observed_at(target),
        "freshness": picture.freshness(target),
        **_said(picture, key, said),
    }


def _said(picture: Picture, key: ResourceKey, said: Condition | None) -> dict[str, object]:
    """Whether it is ready and why not: the condition, else what blocks it, else what it waits for."""
    blocks, waits = picture.blocks.get(key, []), picture.waits.get(key, [])
    reason, message = (said.reason, said.message) if said else ("", "")
    if blocks and (said is None or not message or message == blocks[0].message):
        reason, message = blocks[0].reason, pieces.why_blocked(picture, blocks[0])
    elif waits and not message:
        message = f"waits for {waits[0].what}"
    elif not message and not picture.knows(key):
        message = _blind(picture, key)
    return {
        "ready": said.status.value if said else "Unknown",
        "reason": reason,
        "message": clear(message),
        "since": instant(said.since) if said else None,
    }


def _blind(picture: Picture, key: ResourceKey) -> str:
    """Why nothing is known of what runs."""
    unit = picture.units.get(key)
    if unit is None:
        return "its document cannot be used: see the source's problems"
    return (
        f"{pieces.where(unit.target)} cannot be read: {picture.target(unit.target).trouble or 'nobody has looked yet'}"
    )


def _declared(picture: Picture, key: ResourceKey) -> bool:
    desired = picture.published.desired
    return key in desired.declared or key in picture.workloads or desired.held.holds(key) or key in picture.refused


def _desired_state(picture: Picture, key: ResourceKey) -> str:
    workload = picture.workloads.get(key)
    if workload is not None:
        return "running" if workload.running else "stopped"
    held = key in picture.refused or picture.published.desired.held.holds(key)
    return "unknown" if held and key not in picture.published.desired.deleted else "deleted"


def _replicas(picture: Picture, key: ResourceKey) -> parts.Replicas:
    workload, instances = picture.workloads.get(key), picture.instances.get(key, [])
    return parts.Replicas(
        wanted=workload.replicas if workload is not None and workload.running else 0,
        running=sum(i.up for i in instances),
        ready=sum(i.good for i in instances),
    )


def _serving(picture: Picture, key: ResourceKey) -> str:
    """The generation that answers: what the route leads to, else what serving would choose, else what is healthy."""
    instances = picture.instances.get(key, [])
    progress = picture.published.progress.get(key)
    routed = picture.target_of(key).routed(key)
    failed = progress is not None and progress.failed
    names = routed or serving(picture.workloads.get(key), instances, routed=routed, failed=failed) or frozenset()
    chosen = [i for i in instances if i.name in names and i.up] or [i for i in instances if i.good]
    return max(chosen, key=lambda i: (i.created, i.name)).generation if chosen else ""


def _declaration(picture: Picture, key: ResourceKey) -> dict[str, object]:
    workload = picture.workloads.get(key)
    source = picture.published.desired.declared.get(key, "")
    base: dict[str, object] = {"manifest": pieces.manifest(picture, key), "source": source}
    if workload is None:
        return base
    template = workload.template
    return {
        **base,
        "hold": _hold(picture, workload),
        "command": tuple(clear(word) for word in (*template.command, *template.args)),
        "probe": probe_text(template.probe),
        "depends_on": tuple(str(other) for other in workload.depends_on),
        "variables": variables.views(picture, workload),
        "mounts": _mounts(picture, workload),
    }


def _hold(picture: Picture, workload: Workload) -> str:
    """Why nothing may be applied: by its own manifest, its environment's, or somebody at the console."""
    policy = picture.published.desired.units.get(workload.unit)
    held = {workload.key, workload.key.written, workload.unit} & picture.published.holds
    return workload.hold or (policy.hold if policy else "") or ("held" if held else "")


def probe_text(probe: Probe) -> str:
    """A health check in a few words."""
    match probe.kind:
        case "http":
            return f"{probe.method} {probe.path or '/'} on port {probe.port}"
        case "tcp":
            return f"connects to port {probe.port}"
        case "command":
            return clear(" ".join(probe.command))
        case "quiet":
            return "does not exit"


def _mounts(picture: Picture, workload: Workload) -> tuple[parts.MountView, ...]:
    target = picture.target(workload.unit.target)
    known = target.knows(Collection.VOLUMES)
    views_of = []
    for mount in workload.template.mounts:
        volume = target.volumes.get(mount.volume)
        views_of.append(
            parts.MountView(
                path=mount.path,
                volume=mount.volume,
                mode=mount.mode,
                env=mount.env,
                place=volume.path if volume else "",
                present=(volume is not None) if known else None,
            )
        )
    return tuple(views_of)


def _runtime(picture: Picture, key: ResourceKey) -> dict[str, object]:
    return {
        "rollout": _rollout(picture, key),
        "revision": revisions(picture, picture.published.desired.declared.get(key, "")),
        "conditions": pieces.conditions(picture, key),
        "instances": tuple(pieces.instance(i) for i in picture.instances.get(key, [])),
        "urls": _urls(picture, key),
        "routes": routes.of(picture, key),
        "addresses": tuple(_address(a, picture.workloads.get(key)) for a in picture.addresses.get(key, [])),
    }


def _rollout(picture: Picture, key: ResourceKey) -> parts.RolloutView:
    workload, progress = picture.workloads.get(key), picture.published.progress.get(key)
    said: dict[str, object] = {"serving": _serving(picture, key)}
    if workload is not None:
        strategy = "stop-first" if workload.rollout.stop_first else "start-first"
        said |= {"wanted": workload.generation, "strategy": strategy, "why": workload.rollout.why}
    if progress is not None:
        said |= {
            "generation": progress.generation,
            "previous": progress.previous,
            "accepted": progress.accepted,
            "failed": progress.failed,
            "message": clear(progress.message),
            "since": instant(progress.since),
        }
    return parts.RolloutView.model_validate(said)


def revisions(picture: Picture, source: str) -> parts.Revisions:
    state = picture.published.sources.get(source)
    if state is None:
        return parts.Revisions(seen=picture.published.desired.revisions.get(source, ""))
    return parts.Revisions(seen=state.seen, applied=state.applied, blocked=state.blocked)


def _urls(picture: Picture, key: ResourceKey) -> tuple[str, ...]:
    """Public ones first, then the stable internal address of each port."""
    workload = picture.workloads.get(key)
    public = [route.url for route in routes.of(picture, key)]
    own = [a for a in picture.addresses.get(key, []) if a.ordinal == 0]
    main = {p.name for p in workload.template.ports if p.main} if workload else set()
    own.sort(key=lambda a: (a.port_name not in main, a.port_name))
    return (*public, *(_url(a, workload) for a in own))


def _address(address: Address, workload: Workload | None) -> parts.AddressView:
    return parts.AddressView(
        port=address.port_name,
        host=address.host,
        number=address.port,
        ordinal=address.ordinal,
        url=_url(address, workload),
    )


def _url(address: Address, workload: Workload | None) -> str:
    """A browser's address where the port speaks HTTP, by its name or its health check; else host and port."""
    probe = workload.template.probe if workload else Probe("quiet")
    speaks_http = address.port_name.startswith("http") or (probe.kind == "http" and probe.port == address.port_name)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{'http://' if speaks_http else ''}{host}:{address.port}{'/' if speaks_http else ''}"


def _plan(picture: Picture, key: ResourceKey) -> dict[str, object]:
    return {
        "waits": tuple(pieces.wait(w) for w in picture.waits.get(key, [])),
        "blocks": tuple(pieces.block(picture, b) for b in picture.blocks.get(key, [])),
        "gates": tuple(pieces.gate(picture, unit, gate) for unit, gate in picture.gates.get(key, [])),
        "held": tuple(pieces.held(picture, h) for h in picture.held.get(key, [])),
        "drift": drift.of(picture, key),
    }

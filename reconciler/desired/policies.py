"""What is true of whole targets and units: where they are, and whether anything may be applied there."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.objects import EdgeObject, TargetObject, UnitPolicy
from reconciler.desired.scope import Place
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey, UnitKey, cluster, server
from reconciler.manifests.kinds.base import port_range
from reconciler.manifests.kinds.project import EnvironmentSpec, Placement, ProjectSpec
from reconciler.manifests.kinds.target import DefaultDomain, EdgeProxy, ServerSpec

_PORTS = (20000, 29999)


def targets_of(catalog: Catalog) -> dict[ResourceKey, TargetObject]:
    """Every Server, as planning sees it."""
    found = {}
    for key, document in sorted(catalog.documents.items()):
        spec = document.spec
        if isinstance(spec, ServerSpec):
            found[key] = TargetObject(
                key,
                spec.engine,
                spec.lifecycle,
                edge=_edge(spec.edge_proxy),
                port_range=port_range(spec.port_range) if spec.port_range else _PORTS,
                bind_paths=tuple(spec.allow.bind_paths) if spec.allow is not None else (),
                default_domain=_template(spec.default_domain),
                source=document.source,
                place=document.place("spec"),
            )
    return found


def _template(written: DefaultDomain | None) -> str | None:
    """The template of default domains; "" when they are turned off, None when nothing is said."""
    return None if written is None else (written.template or "") if written.mode == "custom-template" else ""


def _edge(written: EdgeProxy | None) -> EdgeObject | None:
    """The proxy that we own; an external one is somebody else's, and is as none to us."""
    if written is None or written.kind != "caddy":
        return None
    listen, acme = written.listen, written.acme
    return EdgeObject(
        http=(listen.http or "") if listen is not None else ":80",
        https=(listen.https or "") if listen is not None else ":443",
        acme_email=(acme.email or "") if acme is not None else "",
        acme_ca=(acme.ca or "") if acme is not None else "",
    )


def places_of(catalog: Catalog, targets: dict[ResourceKey, TargetObject]) -> Iterator[Place]:
    """Every environment whose project is there."""
    for key, document in sorted(catalog.documents.items()):
        project = catalog.documents.get(ResourceKey("Project", "", key.project))
        if key.kind == "Environment" and project is not None and isinstance(document.spec, EnvironmentSpec):
            yield Place(project, document, targets)


def target_key(placement: Placement) -> ResourceKey:
    """The target that a placement names."""
    return server(placement.server) if placement.server is not None else cluster(placement.cluster or "")


def unit_policy(place: Place, target: TargetObject) -> UnitPolicy:
    """Whether anything may be applied in one environment on one target, and why not."""
    hold, message = _hold(place.project_spec, place.spec, target)
    return UnitPolicy(
        hold=hold,
        message=message,
        report_drift=place.spec.drift == "report",
        reconcile_token=place.spec.reconcile_token or "",
    )


def unit_of(place: Place, target: TargetObject) -> UnitKey:
    """The unit of one environment on one target."""
    return UnitKey(target.key, place.project.key.name, place.name)


def _hold(project: ProjectSpec, environment: EnvironmentSpec, target: TargetObject) -> tuple[str, str]:
    if project.lifecycle == "archived":
        return "Archived", f"the project is archived: {project.archive_reason or 'no reason given'}"
    if environment.lifecycle == "archived":
        return "Archived", "the environment is archived"
    if environment.lifecycle == "locked":
        return "Locked", f"the environment is locked: {environment.lock_reason or 'no reason given'}"
    if environment.suspend:
        return "Suspended", "spec.suspend is set on the environment"
    if target.lifecycle == "inactive":
        return "Inactive", f"{target.key.name} is inactive: no new work, what runs keeps running"
    return "", ""

"""Routes: hosts and paths that lead to resources, from a resource's own ``domains`` and from Domain documents; and the
stable internal addresses that the edge listens on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.desired.names import address_name
from reconciler.desired.objects import DesiredBlock, RouteObject, Workload
from reconciler.desired.scope import Candidate
from reconciler.desired.shapes import port_called, ports_of
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import seconds
from reconciler.manifests.kinds.domain import DomainRoute, DomainSpec
from reconciler.manifests.kinds.rollout import Deploy
from reconciler.manifests.kinds.sources import Static
from reconciler.manifests.problem import Position, Problem
from reconciler.observed.snapshot import RouteShape


@dataclass(frozen=True, slots=True)
class _Written:
    """A domain as it was written, for one resource in one environment."""

    candidate: Candidate
    name: str
    domain: DomainRoute
    place: Position

    @property
    def host(self) -> str:
        return self.name.partition("/")[0]

    @property
    def path(self) -> str:
        return self.domain.path_prefix or f"/{self.name.partition('/')[2]}"


def routes_of(
    catalog: Catalog, candidates: Mapping[ResourceKey, Candidate]
) -> tuple[list[RouteObject], list[DesiredBlock]]:
    """The routes that are wanted, sorted, and blocks for those that lead nowhere."""
    routes: list[RouteObject] = []
    blocks: list[DesiredBlock] = []
    for written in _written(catalog, candidates):
        candidate = written.candidate
        problem = _problem(written)
        if problem is not None:
            blocks.append(DesiredBlock(candidate.key, candidate.unit, "NotPossible", problem))
        else:
            routes.append(_route(written))
    return sorted(routes, key=lambda r: (r.id, r.resource)), blocks + _twice(routes)


def addresses_of(workloads: Iterable[Workload]) -> list[RouteObject]:
    """The stable addresses that the edge listens on for ports that instances do not bind themselves."""
    return [
        RouteObject(
            address_name(workload.key, port.name, 0),
            workload.key,
            workload.unit,
            port.name,
            RouteShape(drain=workload.rollout.drain),
            internal=True,
            place=workload.place,
        )
        for workload in workloads
        for port in workload.template.ports
        if not port.fixed
    ]


def _route(written: _Written) -> RouteObject:
    candidate, domain = written.candidate, written.domain
    deploy = candidate.spec.deploy or Deploy()
    shape = RouteShape(
        host=written.host,
        path=written.path,
        strip_prefix=domain.strip_prefix,
        redirect_to=domain.redirect_to or "",
        redirect_status=(domain.redirect_status or 308) if domain.redirect_to else 0,
        tls=_tls(written),
        drain=float(seconds(deploy.drain)),
    )
    port = port_called(ports_of(candidate.spec, assigned=True), candidate.spec, domain.port) or ""
    return RouteObject(f"{written.host}{written.path}", candidate.key, candidate.unit, port, shape, place=written.place)


def _tls(written: _Written) -> str:
    """Plain http where it was asked for, and for ``*.localhost`` unless auto is written: then the edge's own authority."""
    domain = written.domain
    local = written.host == "localhost" or written.host.endswith(".localhost")
    if domain.tls_mode == "disabled" or (local and "tls_mode" not in domain.model_fields_set):
        return ""
    return "internal" if local else "auto"


def _written(catalog: Catalog, candidates: Mapping[ResourceKey, Candidate]) -> Iterator[_Written]:
    for key, candidate in sorted(candidates.items()):
        for name, domain in (candidate.spec.domains or {}).items():
            if domain.environment in (None, key.environment):
                yield _Written(candidate, name, domain, candidate.document.place("spec", "domains", name))
        for document_key, document in sorted(catalog.documents.items()):
            spec = document.spec
            if (
                isinstance(spec, DomainSpec)
                and (document_key.project, spec.resource) == (key.project, key.name)
                and spec.environment in (None, key.environment)
                and (spec.environments is None or key.environment in spec.environments)
            ):
                yield _Written(candidate, spec.domain_name, spec, document.place("spec", "domainName"))


def _problem(written: _Written) -> Problem | None:
    candidate, domain = written.candidate, written.domain
    if candidate.target.edge is None:
        message = f"a domain needs an edge proxy of ours, and {candidate.target.key} has none"
        return Problem(written.place, "domains", message)
    leads_nowhere = port_called(ports_of(candidate.spec, assigned=True), candidate.spec, domain.port) is None
    if leads_nowhere and not domain.redirect_to and not isinstance(candidate.spec.source, Static):
        return Problem(
            written.place, "domains", f"there is no port {domain.port or 'to lead to'}; name one of spec.ports"
        )
    if domain.redirect_to == written.host:
        return Problem(written.place, "domains", f"{written.host} redirects to itself")
    return None


def _twice(routes: list[RouteObject]) -> list[DesiredBlock]:
    """One resource that declares one route in two places; two resources that do are told apart by who holds it."""
    seen: dict[tuple[str, ResourceKey], RouteObject] = {}
    blocks = []
    for route in routes:
        first = seen.setdefault((route.id, route.resource), route)
        if first is not route:
            problem = Problem(route.place, "domains", f"{route.id} is declared at {first.place} as well")
            blocks.append(DesiredBlock(route.resource, route.unit, "DomainConflict", problem))
    return blocks

"""Routes: hosts and paths that lead to resources, from a resource's own ``domains`` and from Domain documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.desired.objects import DesiredBlock, RouteObject
from reconciler.desired.scope import Candidate
from reconciler.desired.shapes import port_called, ports_of
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.domain import DomainRoute, DomainSpec
from reconciler.manifests.problem import Position, Problem


def routes_of(
    catalog: Catalog, candidates: Mapping[ResourceKey, Candidate]
) -> tuple[list[RouteObject], list[DesiredBlock]]:
    """The routes that are wanted, sorted, and blocks for those that lead nowhere."""
    routes: list[RouteObject] = []
    blocks: list[DesiredBlock] = []
    for candidate, name, domain, place in _written(catalog, candidates):
        problem = _problem(candidate, domain, place)
        if problem is not None:
            blocks.append(DesiredBlock(candidate.key, candidate.unit, "NotPossible", problem))
            continue
        ports = ports_of(candidate.spec, assigned=True)
        host, _, path = name.partition("/")
        prefix = domain.path_prefix or f"/{path}"
        port = port_called(ports, candidate.spec, domain.port) or ""
        routes.append(RouteObject(host, prefix, candidate.key, candidate.unit, port, place))
    return sorted(routes, key=lambda r: (r.id, r.resource)), blocks


def _written(
    catalog: Catalog, candidates: Mapping[ResourceKey, Candidate]
) -> Iterator[tuple[Candidate, str, DomainRoute, Position]]:
    for key, candidate in sorted(candidates.items()):
        for name, domain in (candidate.spec.domains or {}).items():
            if domain.environment in (None, key.environment):
                yield candidate, name, domain, candidate.document.place("spec", "domains", name)
        for document_key, document in sorted(catalog.documents.items()):
            spec = document.spec
            if (
                isinstance(spec, DomainSpec)
                and (document_key.project, spec.resource) == (key.project, key.name)
                and spec.environment in (None, key.environment)
            ):
                yield candidate, spec.domain_name, spec, document.place("spec", "domainName")


def _problem(candidate: Candidate, domain: DomainRoute, place: Position) -> Problem | None:
    if not candidate.target.edge:
        message = f"a domain needs an edge proxy, and {candidate.target.key} has none"
        return Problem(place, "domains", message)
    if port_called(ports_of(candidate.spec, assigned=True), candidate.spec, domain.port) is None:
        return Problem(place, "domains", f"there is no port {domain.port or 'to lead to'}; name one of spec.ports")
    return None

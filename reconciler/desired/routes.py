"""Routes: hosts and paths that lead to resources, from domains in all their forms; and the stable internal addresses
that the edge listens on.

What is wrong with a resource's own short form blocks the resource, like any of its fields. What comes from elsewhere
(another claimant, the DNS, a certificate, a Domain document) withholds the route alone: the resource goes on, and a
route that is there stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.desired import domains, ownership
from reconciler.desired.bindings import Binding, Ownership, Withheld
from reconciler.desired.certificates import Certificates, unfit
from reconciler.desired.domains import Written
from reconciler.desired.facts import Facts
from reconciler.desired.names import address_name
from reconciler.desired.objects import DesiredBlock, RouteObject, Workload
from reconciler.desired.scope import Candidate
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import seconds
from reconciler.manifests.kinds.rollout import Deploy
from reconciler.manifests.problem import Problem
from reconciler.observed.snapshot import RouteShape

NO_CERTIFICATE = "CertificateMissing"


@dataclass(slots=True)
class Routed:
    """The routes that are wanted, sorted; blocks of resources whose own domains cannot be; every other problem."""

    routes: list[RouteObject] = field(default_factory=list)
    blocks: list[DesiredBlock] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def routes_of(
    catalog: Catalog, candidates: Mapping[ResourceKey, Candidate], certificates: Certificates, facts: Facts
) -> Routed:
    """All public routes of all resources that are planned."""
    gathered = domains.gather(catalog, candidates, facts)
    found = Routed(problems=gathered.problems)
    usable: list[Written] = []
    for written in gathered.domains:
        fault = domains.fault_of(written)
        if fault is not None and written.form == "short":
            candidate = written.candidate
            found.blocks.append(DesiredBlock(candidate.key, candidate.unit, "NotPossible", fault))
        else:
            usable.append(written)
    neighbours = _Neighbours(usable)
    made: dict[tuple[str, ResourceKey], RouteObject] = {}
    for written in usable:
        against = neighbours.against(written)
        withheld = next((why for _, why in against if why is not None), None)
        route = _Making(written, certificates, facts).route(withheld)
        made.setdefault((route.id, route.resource), route)
        found.problems += [problem for problem, _ in against]
        if route.withheld is not None and route.withheld.reason == NO_CERTIFICATE and not route.withheld.waiting:
            found.problems.append(written.problem(route.withheld.message))
    found.routes = [made[name] for name in sorted(made)]
    return found


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


# --- what withholds a route, beside the DNS and its certificate -------------------------------------------------------


class _Neighbours:
    """All domains, by what they are held against each other by."""

    def __init__(self, written: Iterable[Written]) -> None:
        self._by_id: dict[str, list[Written]] = defaultdict(list)
        self._by_host: dict[str, list[Written]] = defaultdict(list)
        for each in written:
            self._by_id[each.id].append(each)
            self._by_host[each.host].append(each)

    def against(self, written: Written) -> list[tuple[Problem, Withheld | None]]:
        """What is wrong with a domain that is not its resource's to answer for. Who else claims it is told, and
        decided by who holds the route."""
        fault = domains.fault_of(written)
        own = [fault] if fault is not None else []
        own += [written.problem(written.unclear)] if written.unclear else []
        found: list[tuple[Problem, Withheld | None]] = [(p, _kept("NotPossible", p)) for p in own]
        for rival in self._by_id[written.id]:
            if rival is not written and not (written.unclear and rival.place() == written.place()):
                problem = written.problem(
                    f"{written.id} is declared at {rival.place()} as well, for {rival.candidate.key}: declare it once"
                )
                same = rival.candidate.key == written.candidate.key
                found.append((problem, _kept("DomainConflict", problem) if same else None))
        circle = self._circle(written)
        if circle:
            ways = ", ".join(f"{each.host} to {each.redirect} at {each.place()}" for each in circle)
            problem = written.problem(f"redirects lead in a circle: {ways}", "redirectTo")
            found.append((problem, _kept("RedirectLoop", problem)))
        return found

    def _circle(self, start: Written) -> list[Written]:
        """The redirects that a request to ``start`` follows and that lead back to it; [] when they do not."""
        way, current = [start], start
        while current.redirect:
            following = self._answering(current.redirect, start.path)
            if following is None or following in way:
                return way if following is start else []
            way.append(following)
            current = following
        return []

    def _answering(self, host: str, path: str) -> Written | None:
        """Who answers a request: the host itself before a wildcard, then the longest path."""
        wildcard = f"*.{host.partition('.')[2]}"
        known = self._by_host.get(host) or self._by_host.get(wildcard) or []
        fitting = [w for w in known if f"{path.rstrip('/')}/".startswith(f"{w.path.rstrip('/')}/")]
        return max(fitting, key=lambda w: len(w.path), default=None)


def _kept(reason: str, problem: Problem) -> Withheld:
    """It is wrong as written, so what is there stays as it is."""
    return Withheld(reason, str(problem), keeps_shape=True)


# --- one route --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Making:
    """Makes the route of one domain."""

    written: Written
    certificates: Certificates
    facts: Facts

    def route(self, withheld: Withheld | None) -> RouteObject:
        written, candidate = self.written, self.written.candidate
        shape, binding, without = self._protected(self._shape(), self._binding())
        proven = self._ownership(shape)
        binding = replace(binding, ownership=proven)
        unproven = None if (written.id, candidate.key) in self.facts.established else ownership.withheld_by(proven)
        return RouteObject(
            written.id,
            candidate.key,
            candidate.unit,
            written.port or "",
            shape,
            place=written.place(),
            withheld=withheld or without or unproven,
            binding=binding,
        )

    def _shape(self) -> RouteShape:
        written, domain = self.written, self.written.domain
        deploy = written.candidate.spec.deploy or Deploy()
        return RouteShape(
            host=written.host,
            path=written.path,
            strip_prefix=domain.strip_prefix,
            redirect_to=written.redirect,
            redirect_status=(domain.redirect_status or 308) if written.redirect else 0,
            drain=float(seconds(deploy.drain)),
        )

    def _binding(self) -> Binding:
        written = self.written
        key = written.candidate.key
        return Binding(
            written.name,
            "generated-default-access" if written.form == "default" else "durable-domain-binding",
            written.document.key.within(key.environment) if written.form == "long" else None,
            policy="manual" if written.domain.certificate_ref else written.domain.certificate_policy or "auto",
        )

    def _protected(self, shape: RouteShape, binding: Binding) -> tuple[RouteShape, Binding, Withheld | None]:
        """With its TLS: plain http where it was asked for, where nothing else is served, and for ``*.localhost``
        unless auto is written: then the edge's own authority."""
        written, domain = self.written, self.written.domain
        edge = written.candidate.target.edge
        if domain.tls_mode == "disabled" or binding.policy == "disabled":
            return shape, replace(binding, tls_off="disabled"), None
        if binding.policy == "manual":
            return self._manual(shape, binding)
        local = written.is_local and "tls_mode" not in domain.model_fields_set
        if local or edge is None or not edge.https:
            return shape, replace(binding, tls_off="not-applicable"), None
        return replace(shape, tls="internal" if written.is_local else "auto"), binding, None

    def _manual(self, shape: RouteShape, binding: Binding) -> tuple[RouteShape, Binding, Withheld | None]:
        key, ref = self.written.candidate.key, self.written.domain.certificate_ref
        if ref:
            certificate = self.certificates.called(key.project, key.environment, ref)
        else:
            certificate = self.certificates.imported_for(key.project, key.environment, self.written.host)
        why = unfit(certificate, self.written.host, ref or "")
        binding = replace(binding, certificate=certificate.key if certificate is not None else None)
        if why or certificate is None or certificate.usable is None:
            waiting = certificate is not None and [state for state, _ in certificate.faults] == ["pending"]
            return shape, binding, Withheld(NO_CERTIFICATE, why, waiting=waiting, keeps_shape=True)
        return replace(shape, tls=certificate.usable.name), binding, None

    def _ownership(self, shape: RouteShape) -> Ownership:
        written, edge = self.written, self.written.candidate.target.edge
        if edge is None:
            return Ownership()
        address = ownership.listener_address(edge, tls=bool(shape.tls))
        given = written.form == "default"
        mode = ownership.mode_of(written.domain.verification, local=written.is_local, given=given, address=address)
        own = (address,) if address else self.facts.addresses
        wanted = (ownership.proof(self.facts.instance_id, written.host),) if mode == "txt" else own
        return ownership.ownership_of(mode, written.host, wanted=wanted, answers=self.facts.answers)

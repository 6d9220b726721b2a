"""Domains as they were written: the short form in a resource, Domain documents, and what a server gives by itself.

Here they get their resource, environment, host and path; what is wrong with one by itself is said. ``routes`` makes
routes of them, and holds them against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.desired.facts import Facts
from reconciler.desired.fingerprint import digest
from reconciler.desired.merge import layers_of, merged
from reconciler.desired.scope import Candidate
from reconciler.desired.shapes import http_ports, port_called, ports_of
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.hosts import ascii_host, host_and_path, plain_path
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.domain import DomainRoute, DomainSpec
from reconciler.manifests.kinds.sources import Static
from reconciler.manifests.problem import Position, Problem
from reconciler.manifests.support import unsupported
from reconciler.manifests.validation import validate

Form = Literal["short", "long", "default"]
_LABEL = 63


@dataclass(frozen=True, slots=True)
class Written:
    """A domain for one resource in one environment. ``name`` is as it was written; ``at`` where in ``document``.

    ``unclear``: something about it cannot be known (which environment, what this version does not do yet), so no route
    comes of it, and none goes for it.
    """

    candidate: Candidate
    name: str
    domain: DomainRoute
    document: Document
    form: Form
    at: tuple[str, ...] = ("spec",)
    unclear: str = ""

    @property
    def host(self) -> str:
        return host_and_path(self.name)[0]

    @property
    def path(self) -> str:
        return plain_path(self.domain.path_prefix or host_and_path(self.name)[1])

    @property
    def id(self) -> str:
        return f"{self.host}{self.path}"

    @property
    def redirect(self) -> str:
        """The host that it redirects to, as the network knows it; "" when it does not."""
        return ascii_host(self.domain.redirect_to) if self.domain.redirect_to else ""

    @property
    def is_local(self) -> bool:
        """A name that leads to the machine it is typed on."""
        return self.host == "localhost" or self.host.endswith(".localhost")

    def place(self, *field_: str) -> Position:
        location = (*self.at, "domainName") if self.form == "long" and not field_ else (*self.at, *field_)
        return self.document.place(*location)

    def problem(self, message: str, *field_: str) -> Problem:
        name = {"short": "domains", "long": "spec", "default": "spec.defaultDomain"}[self.form]
        return Problem(self.place(*field_), ".".join((name, *field_)), message)

    @property
    def port(self) -> str | None:
        """The name of the port that it leads to; None when there is none."""
        spec = self.candidate.spec
        return port_called(ports_of(spec, assigned=True), spec, self.domain.port)


@dataclass(slots=True)
class Gathered:
    """Every domain, sorted; and what is wrong with documents that no route can be made of."""

    domains: list[Written] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def gather(catalog: Catalog, candidates: Mapping[ResourceKey, Candidate], facts: Facts) -> Gathered:
    """What was written, for all resources that are planned."""
    found = Gathered()
    by_name: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for key, candidate in sorted(candidates.items()):
        by_name[key.project, key.name].append(candidate)
    for together in by_name.values():
        found.domains += _short_forms(together)
        found.problems += _out_of_place(together)
    for document in catalog.documents.values():
        if isinstance(document.spec, DomainSpec):
            _long_form(catalog, document, by_name[document.key.project, document.spec.resource], found)
    taken = {written.id for written in found.domains}
    for candidate in candidates.values():
        default = _default(catalog, candidate, facts)
        if default is not None and default.id not in taken:
            found.domains.append(default)
    found.domains.sort(key=lambda written: (written.id, written.candidate.key, str(written.place())))
    return found


# --- the short form ---------------------------------------------------------------------------------------------------


def _short_forms(together: Iterable[Candidate]) -> Iterator[Written]:
    """Of one resource in all of its environments; a domain that names none belongs to the only one that has it."""
    written = [
        Written(c, name, domain, c.document, "short", ("spec", "domains", name))
        for c in together
        for name, domain in (c.spec.domains or {}).items()
    ]
    unnamed: dict[str, list[str]] = defaultdict(list)
    for each in written:
        if each.domain.environment is None:
            unnamed[each.id].append(each.candidate.key.environment)
    for each in written:
        if each.domain.environment in (None, each.candidate.key.environment):
            yield _in_one(each, unnamed[each.id] if each.domain.environment is None else [])


def _out_of_place(together: Iterable[Candidate]) -> Iterator[Problem]:
    """Domains of an environment in which the resource does not exist; once, whatever number of others it has."""
    for candidate in list(together)[:1]:
        for name, domain in (candidate.spec.domains or {}).items():
            there = candidate.spec.environments
            if there is not None and domain.environment not in (None, *there):
                where = ", ".join(there)
                message = f"{candidate.key.name} is not in {domain.environment}, it is in {where}"
                place = candidate.document.place("spec", "domains", name, "environment")
                yield Problem(place, f"domains.{name}.environment", message)


def _in_one(written: Written, environments: list[str]) -> Written:
    if len(environments) < 2:
        return written
    resource = written.candidate.key
    message = f"{resource.name} is in {', '.join(environments)}: name the environment of {written.id}"
    return _unclear(written, message)


def _unclear(written: Written, message: str) -> Written:
    return Written(
        written.candidate, written.name, written.domain, written.document, written.form, written.at, unclear=message
    )


# --- the long form ----------------------------------------------------------------------------------------------------


def _long_form(catalog: Catalog, document: Document, candidates: list[Candidate], found: Gathered) -> None:
    spec = document.spec
    assert isinstance(spec, DomainSpec)
    allowed = spec.environments
    possible = [c for c in candidates if allowed is None or c.key.environment in allowed]
    written = [_patched(catalog, document, candidate, found) for candidate in possible]
    chosen = [w for w in written if w.domain.environment in (None, w.candidate.key.environment)]
    unnamed = [w.candidate.key.environment for w in chosen if w.domain.environment is None]
    found.domains += [_in_one(w, unnamed if w.domain.environment is None else []) for w in chosen]
    if not chosen:
        where = f" in {spec.environment}" if spec.environment else ""
        message = f"{spec.resource} is nothing that we run{where}, so {spec.domain_name} leads nowhere"
        found.problems.append(Problem(document.place("spec", "resource"), "spec.resource", message))


def _patched(catalog: Catalog, document: Document, candidate: Candidate, found: Gathered) -> Written:
    """The document with the override of the candidate's environment; as it was written when that cannot be used."""
    spec = document.spec
    assert isinstance(spec, DomainSpec)
    environment = candidate.key.environment
    checked = validate(DomainSpec, merged(layers_of(catalog, document, environment), {}), path=document.path)
    if checked.value is None:
        place = document.place("spec", "overrides", environment)
        found.problems += [Problem(place, f"spec.overrides.{environment}", fault.message) for fault in checked.faults]
        return Written(candidate, spec.domain_name, spec, document, "long", unclear="its override cannot be used")
    waiting = [f"{'.'.join(map(str, fault.location))}: {fault.message}" for fault in unsupported("Domain", spec)]
    return Written(candidate, checked.value.domain_name, checked.value, document, "long", unclear="; ".join(waiting))


# --- what a server gives by itself ----------------------------------------------------------------------------------


def _default(catalog: Catalog, candidate: Candidate, facts: Facts) -> Written | None:
    """The default domain of a resource that speaks HTTP and is public, where its server, or the settings, have one."""
    target, spec = candidate.target, candidate.spec
    template = facts.default_domain if target.default_domain is None else target.default_domain
    server = catalog.documents.get(target.key)
    if not template or target.edge is None or server is None or spec.visibility == "internal":
        return None
    if spec.network is not None and spec.network.exposure in {"none", "direct-port"}:
        return None
    main = port_called(ports_of(spec, assigned=True), spec, None)
    if main not in http_ports(spec, ()) and not isinstance(spec.source, Static):
        return None
    name = _host_of(template, candidate.key)
    return Written(candidate, name, DomainRoute(), server, "default", ("spec", "defaultDomain"))


def _host_of(template: str, key: ResourceKey) -> str:
    """The template filled in; a label that is too long loses letters and gets digits of the identity."""
    filled = template.format(resource=key.name, environment=key.environment, project=key.project)
    return ".".join(
        label if len(label) <= _LABEL else f"{label[: _LABEL - 7].rstrip('-')}-{digest(str(key), 6)}"
        for label in filled.split(".")
    )


# --- what is wrong with one by itself ---------------------------------------------------------------------------------


def fault_of(written: Written) -> Problem | None:
    """What makes a domain impossible, whatever else is written and seen."""
    candidate, domain, spec = written.candidate, written.domain, written.candidate.spec
    edge = candidate.target.edge
    if edge is None:
        return written.problem(f"a domain needs an edge proxy of ours, and {candidate.target.key} has none")
    if spec.visibility == "internal":
        return written.problem(f"{candidate.key.name} is internal, and a domain makes it public")
    if spec.network is not None and spec.network.exposure == "none":
        return written.problem(f"network.exposure of {candidate.key.name} is none, and a domain exposes it")
    if domain.path_prefix and host_and_path(written.name)[1] != "/":
        return written.problem(f"{written.name} has a path already: leave it there, or in pathPrefix", "pathPrefix")
    if written.port is None and not written.redirect and not isinstance(spec.source, Static):
        return written.problem(f"there is no port {domain.port or 'to lead to'}; name one of spec.ports")
    return _redirect_fault(written) or _tls_fault(written, https=bool(edge.https))


def _redirect_fault(written: Written) -> Problem | None:
    if written.redirect == written.host:
        return written.problem(f"{written.host} redirects to itself", "redirectTo")
    if written.redirect.startswith("*."):
        return written.problem(f"{written.redirect} is not one host: redirect to a host by its name", "redirectTo")
    if written.domain.redirect_status and not written.redirect:
        return written.problem("redirectStatus goes with redirectTo", "redirectStatus")
    return None


def _tls_fault(written: Written, *, https: bool) -> Problem | None:
    domain, server = written.domain, written.candidate.target.key
    off = domain.tls_mode == "disabled" or domain.certificate_policy == "disabled"
    manual = bool(domain.certificate_ref) or domain.certificate_policy == "manual"
    asked = manual or (domain.tls_mode == "auto" and "tls_mode" in domain.model_fields_set)
    if off and domain.certificate_ref:
        return written.problem("it has no TLS, and certificateRef names a certificate for it", "certificateRef")
    if domain.certificate_policy == "auto" and domain.certificate_ref:
        return written.problem("certificatePolicy is auto, and certificateRef names one", "certificateRef")
    if not https and asked and not off:
        return written.problem(f"{server} listens for no https: give edgeProxy.listen.https, or tlsMode: disabled")
    if written.host.startswith("*.") and https and not (off or manual or written.is_local):
        message = f"no certificate for {written.host} can be obtained here: import one, or write tlsMode: disabled"
        return written.problem(message)
    return None

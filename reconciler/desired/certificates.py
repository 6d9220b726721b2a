"""Certificate documents in their environments: what their secrets hold, whether it is good for what was declared, and
which one a domain uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.desired.evidence import CertificateFacts, CertificateFault
from reconciler.desired.facts import Facts, reference_of
from reconciler.desired.merge import layers_of, merged
from reconciler.desired.names import certificate_name
from reconciler.desired.objects import CertificateObject, EdgeCertificate, SecretRef
from reconciler.desired.scope import Place
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.hosts import ascii_host, covers
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import SecretSource
from reconciler.manifests.kinds.domain import CertificateSpec
from reconciler.manifests.problem import Problem
from reconciler.manifests.support import unsupported
from reconciler.manifests.validation import validate

Faults = tuple[tuple[CertificateFault, str], ...]


@dataclass(slots=True)
class Certificates:
    """By identity, in every environment; and everything that is wrong, at its place."""

    objects: dict[ResourceKey, CertificateObject] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def called(self, project: str, environment: str, name: str) -> CertificateObject | None:
        return self.objects.get(ResourceKey("Certificate", project, name, environment))

    def imported_for(self, project: str, environment: str, host: str) -> CertificateObject | None:
        """The imported one whose ``domains`` have a host; of several the first that can be used."""
        found = [
            certificate
            for key, certificate in sorted(self.objects.items())
            if (key.project, key.environment) == (project, environment)
            and certificate.source == "imported"
            and any(covers(pattern, host) for pattern in certificate.hosts)
        ]
        return next((c for c in found if c.usable is not None), next(iter(found), None))


def certificates_of(catalog: Catalog, places: Iterable[Place], facts: Facts) -> Certificates:
    """Every Certificate that this version does something with, wherever it exists."""
    found = Certificates()
    documents = [d for d in catalog.documents.values() if isinstance(d.spec, CertificateSpec)]
    for place in places:
        for document in documents:
            if document.key.project == place.project.key.name and not unsupported("Certificate", document.spec):
                _take(catalog, document, place.name, facts, found)
    return found


def _take(catalog: Catalog, document: Document, environment: str, facts: Facts, found: Certificates) -> None:
    checked = validate(CertificateSpec, merged(layers_of(catalog, document, environment), {}), path=document.path)
    if checked.value is None:
        place = document.place("spec", "overrides", environment)
        found.problems += [Problem(place, f"spec.overrides.{environment}", f.message) for f in checked.faults]
    elif checked.value.environments is None or environment in checked.value.environments:
        key = document.key.within(environment)
        made = _object(key, checked.value, document, facts)
        found.objects[key] = made
        found.problems += [_located(document, problem) for problem in made.faults if problem[0] != "pending"]


def _object(key: ResourceKey, spec: CertificateSpec, document: Document, facts: Facts) -> CertificateObject:
    hosts = tuple(sorted({ascii_host(name) for name in spec.domains}))
    place = document.place("spec", "secretRef")
    if spec.source == "managed":
        return CertificateObject(key, "managed", hosts, place=document.place("spec"))
    if not isinstance(spec.secret_ref, SecretSource):
        faults: Faults = (("missing", "secretRef leads to no secret that this version can read"),)
        return CertificateObject(key, "imported", hosts, faults=faults, place=place)
    reference = reference_of(spec.secret_ref)
    read = facts.certificates.get(reference)
    faults = (*_of_bundle(read, reference), *_of_hosts(read, hosts))
    usable = EdgeCertificate(certificate_name(key, read.digest), reference) if read is not None and not faults else None
    return CertificateObject(key, "imported", hosts, read, usable, faults, place)


def _of_bundle(read: CertificateFacts | None, reference: SecretRef) -> Faults:
    if read is None:
        return (("pending", f"{reference} was not read yet"),)
    return read.faults


def _of_hosts(read: CertificateFacts | None, hosts: Iterable[str]) -> Faults:
    """Hosts that were declared and that the certificate is not good for."""
    if read is None or not read.digest:
        return ()
    names = ", ".join(read.names) or "no host at all"
    return tuple(
        ("failed", f"it is not good for {host}: it names {names}")
        for host in hosts
        if not any(covers(name, host) for name in read.names)
    )


def _located(document: Document, fault: tuple[CertificateFault, str]) -> Problem:
    return Problem(document.place("spec", "secretRef"), "spec.secretRef", f"certificate {fault[0]}: {fault[1]}")


def unfit(certificate: CertificateObject | None, host: str, name: str) -> str:
    """Why a domain cannot have a certificate now; "" when it can. ``name`` is what was asked for, "" for any."""
    if certificate is None:
        return f"Certificate {name} cannot be used here" if name else f"no imported Certificate lists {host}"
    if certificate.source == "managed":
        return f"{certificate.key.name} is managed: only an imported certificate is brought along"
    if certificate.faults:
        return f"{certificate.key.name}: {certificate.faults[0][1]}"
    names = certificate.facts.names if certificate.facts is not None else ()
    if not any(covers(name, host) for name in names):
        return f"{certificate.key.name} is not good for {host}: it names {', '.join(names)}"
    return ""

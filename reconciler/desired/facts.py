"""What the shell gathers before anything can be said: digests of secrets, texts of .env files, the system's variables.

A fact that is missing is a block, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired.evidence import Answer, CertificateFacts, Question
from reconciler.desired.objects import SecretRef
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import FromSecret, SecretSource, Variables
from reconciler.manifests.kinds.domain import CertificateSpec
from reconciler.manifests.paths import inside


@dataclass(frozen=True, slots=True)
class Facts:
    """``secrets`` are keyed digests by reference, under the newest key first and every older one after it;
    ``secret_errors`` why one cannot be had; ``env_files`` are texts by (source, path); ``variables`` the system level,
    from the settings; ``unread`` sources that were not read yet in this daemon's life: what they declare is unknown.

    ``instance_id`` is this installation's name, ``default_domain`` its template for servers that say nothing of their
    own. ``answers`` are the DNS's, ``addresses`` the public ones of this machine; ``established`` are the routes (id,
    resource) that were seen on an edge in this daemon's life. ``certificates`` are what secrets of Certificates hold.
    """

    secrets: Mapping[SecretRef, tuple[str, ...]] = field(default_factory=dict)
    secret_errors: Mapping[SecretRef, str] = field(default_factory=dict)
    env_files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    instance_id: str = ""
    default_domain: str = ""
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    established: frozenset[tuple[str, ResourceKey]] = frozenset()
    certificates: Mapping[SecretRef, CertificateFacts] = field(default_factory=dict)


def secret_references(catalog: Catalog) -> list[SecretRef]:
    """Every secret that some variable refers to, sorted."""
    found = {
        reference_of(value.secret)
        for document in catalog.documents.values()
        for variables in _variables_of(document)
        for value in variables.values()
        if isinstance(value, FromSecret) and isinstance(value.secret, SecretSource)
    }
    written = {
        SecretRef(provider, str(location))
        for document in catalog.documents.values()
        for provider, location in _overridden(document.raw.get("overrides"))
    }
    return sorted(found | written, key=str)


def certificate_references(catalog: Catalog) -> list[SecretRef]:
    """Every secret that an imported Certificate is, sorted; in overrides, too."""
    documents = [d for d in catalog.documents.values() if isinstance(d.spec, CertificateSpec)]
    written = [d.spec.secret_ref for d in documents if isinstance(d.spec, CertificateSpec)]
    found = {reference_of(source) for source in written if isinstance(source, SecretSource)}
    for document in documents:
        for patch in (document.raw.get("overrides") or {}).values():
            found |= {SecretRef(provider, at) for provider, at in _patched(patch.get("secretRef"))}
    return sorted(found, key=str)


def _patched(secret: Any) -> Iterator[tuple[str, str]]:
    if isinstance(secret, Mapping):
        yield from ((p, v) for p, v in secret.items() if p in {"file", "env"} and isinstance(v, str))


def env_files(catalog: Catalog) -> list[tuple[str, str]]:
    """Every .env file that some resource reads, as (source, path), sorted."""
    found = set()
    for document in catalog.documents.values():
        for entry in document.raw.get("envFrom") or ():
            written = entry.get("path") if isinstance(entry, Mapping) else None
            path = inside(document.path, written) if isinstance(written, str) else None
            if path:
                found.add((document.source, path))
    return sorted(found)


def reference_of(source: SecretSource) -> SecretRef:
    """The long form of a secret, as a reference; exactly one of its fields is set."""
    if source.file is not None:
        return SecretRef("file", source.file)
    if source.env is not None:
        return SecretRef("env", source.env)
    if source.sops is not None:
        return SecretRef("sops", f"{source.sops.file}#{source.sops.key}")
    if source.kubernetes is not None:
        wanted = source.kubernetes
        return SecretRef("kubernetes", f"{wanted.namespace}/{wanted.name}#{wanted.key}")
    return SecretRef("sealed", source.sealed or "")


def _variables_of(document: Document) -> Iterator[Variables]:
    yield getattr(document.spec, "variables", None) or {}


def _overridden(tree: Any) -> Iterator[tuple[str, Any]]:
    """Secrets that are written in overrides, which are patches and no models."""
    if isinstance(tree, Mapping):
        secret = tree.get("secret")
        yield from _patched(secret)
        for item in tree.values():
            yield from _overridden(item)

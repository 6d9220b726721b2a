"""Gathers what the world adds to a catalog before anything can be resolved: through ports, and never a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.desired.facts import Facts, certificate_references, env_files, secret_references
from reconciler.desired.objects import SecretRef
from reconciler.errors import ReconcilerError
from reconciler.manifests.catalog import Catalog, FileId
from reconciler.ports import BlobReader, CertificateReader, SecretResolver


@dataclass(slots=True)
class FactGatherer:
    """``sources`` are the names of all that are configured; ``secrets`` and ``variables`` are asked anew each time,
    since a reload may replace them; so is ``around``, what is known of the daemon itself and of the DNS."""

    sources: frozenset[str]
    blobs: BlobReader
    secrets: Callable[[], SecretResolver]
    variables: Callable[[], Mapping[str, str]]
    certificates: CertificateReader | None = None
    around: Callable[[], Facts] = Facts
    _texts: dict[str, str] = field(default_factory=dict, init=False)  # by blob, those of the newest revisions

    def gather(self, catalog: Catalog) -> Facts:
        """Raises ``SourceUnavailable`` when a .env file of a revision cannot be read."""
        digests, errors = self._digests(catalog)
        reader = self.certificates
        return replace(
            self.around(),
            certificates={r: reader.read(r) for r in certificate_references(catalog)} if reader is not None else {},
            secrets=digests,
            secret_errors=errors,
            env_files=self._env_files(catalog),
            variables=dict(self.variables()),
            unread=self.sources - catalog.revisions.keys(),
        )

    def _digests(self, catalog: Catalog) -> tuple[dict[SecretRef, tuple[str, ...]], dict[SecretRef, str]]:
        resolver = self.secrets()
        digests: dict[SecretRef, tuple[str, ...]] = {}
        errors: dict[SecretRef, str] = {}
        for reference in secret_references(catalog):
            try:
                digests[reference] = resolver.digests(reference)
            except ReconcilerError as error:
                errors[reference] = str(error)
        return digests, errors

    def _env_files(self, catalog: Catalog) -> dict[FileId, str]:
        """Texts of the files that are there; one that is missing is a problem of whoever names it."""
        wanted = {
            (source, path): file.blob
            for source, path in env_files(catalog)
            if source in catalog.revisions and (file := catalog.revisions[source].files.get(path)) is not None
        }
        known = {blob: self._texts[blob] for blob in wanted.values() if blob in self._texts}
        for source in sorted({source for source, _ in wanted}):
            blobs = {blob for (name, _), blob in wanted.items() if name == source and blob not in known}
            contents = self.blobs.read(source, blobs) if blobs else {}
            known |= {blob: data.decode("utf-8-sig", errors="replace") for blob, data in contents.items()}
        self._texts = known
        return {at: known[blob] for at, blob in wanted.items()}

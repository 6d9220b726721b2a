"""From revisions to a catalog, at the cost of what changed: a file is decoded once for each content it ever has here.

Called by the refresher. What a source held stays known while it cannot be read; a source that could not be read at
all in this daemon's life is opaque, and what its files declared before still counts as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from reconciler.manifests.catalog import Catalog
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.revision import File, Revision
from reconciler.ports import Source
from reconciler.runtime.metrics import Metrics

Declared = Mapping[tuple[str, str], frozenset[ResourceKey]]
"""What each path of each source declares."""


class Decoding(Protocol):
    """The manifests, and the problems, of one file. Pure."""

    def __call__(self, path: str, data: bytes) -> Any: ...  # whatever ``build`` takes: it only passes through here


class Building(Protocol):
    """The catalog of some revisions, from decoded files by (source, path), and what was declared before. Pure."""

    def __call__(
        self, revisions: Mapping[str, Revision], decoded: Mapping[tuple[str, str], Any], declared_before: Declared
    ) -> Catalog: ...


@dataclass(frozen=True, slots=True)
class Language:
    """How files become a catalog: ``concerns`` says by its path whether a file is to be decoded."""

    concerns: Any
    decode: Decoding
    build: Building


class Reader:
    """Keeps the decoded files of the newest revision of each source, and of nothing else."""

    def __init__(self, language: Language, *, declared: Declared, metrics: Metrics) -> None:
        self._language = language
        self._declared = declared
        self._metrics = metrics
        self._revisions: dict[str, Revision] = {}
        self._decoded: dict[str, dict[File, Any]] = {}
        self._unread: set[str] = set()
        self._catalog: Catalog | None = None

    def take(self, source: Source, revision: Revision) -> bool:
        """Decodes what is new in a revision; whether it was another one. Raises ``SourceUnavailable``, and then
        everything is as before."""
        known = self._revisions.get(source.name)
        if known is not None and known.id == revision.id:
            return False
        decoded = self._decode(source, revision)
        self._decoded[source.name] = decoded
        self._revisions[source.name] = revision
        self._unread.discard(source.name)
        self._catalog = None
        return True

    def miss(self, source: str) -> None:
        """A source that cannot be read now. Its last good revision stays what counts; without one it is opaque."""
        if source not in self._revisions and source not in self._unread:
            self._unread.add(source)
            self._catalog = None

    def catalog(self) -> Catalog:
        """The catalog of everything taken; the very same value while nothing was taken."""
        if self._catalog is None:
            decoded = {
                (source, file.path): content
                for source, files in self._decoded.items()
                for file, content in files.items()
            }
            built = self._language.build(self._revisions, decoded, self._declared)
            self._catalog = _with_unread(built, frozenset(self._unread), self._declared)
            self._declared = self._catalog.declared_by
        return self._catalog

    def _decode(self, source: Source, revision: Revision) -> dict[File, Any]:
        known = self._decoded.get(source.name, {})
        files = [file for file in revision.files.values() if self._language.concerns(file.path)]
        new = [file for file in files if file not in known]
        contents = source.read({file.blob for file in new}) if new else {}
        fresh = {file: self._language.decode(file.path, contents[file.blob]) for file in new}
        self._metrics.blobs.inc(len(fresh))
        return {file: known[file] if file in known else fresh[file] for file in files}


def _with_unread(catalog: Catalog, unread: frozenset[str], declared: Declared) -> Catalog:
    """The catalog, with sources of which nothing could be read: unknown is not empty."""
    if not unread:
        return catalog
    before = {at: keys for at, keys in declared.items() if at[0] in unread}
    held = {key: at[0] for at, keys in before.items() for key in keys if key not in catalog.documents}
    return replace(
        catalog,
        opaque=catalog.opaque | unread,
        broken={**held, **catalog.broken},
        declared_by={**catalog.declared_by, **before},
    )

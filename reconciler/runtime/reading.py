"""From revisions to a catalog, at the cost of what changed: a file is decoded once for each content it ever has here.

Called by the refresher. What a source held stays known while it cannot be read; a source that could not be read at
all in this daemon's life is opaque, and what its files declared before still counts as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.manifests.catalog import Catalog, FileId, build, candidates, ignore_files
from reconciler.manifests.decode import DecodedFile, decode_file
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.ignore import Ignore, ignore_of
from reconciler.manifests.revision import File, Revision
from reconciler.ports import Source
from reconciler.runtime.metrics import Metrics

Declared = Mapping[FileId, frozenset[ResourceKey]]
"""What each path of each source declares."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """The newest revision of one source, with its files decoded."""

    revision: Revision
    ignore: Ignore
    decoded: Mapping[tuple[str, str], DecodedFile]  # by path and blob


class Reader:
    """Keeps the decoded files of the newest revision of each source, and of nothing else."""

    def __init__(self, *, declared: Declared, metrics: Metrics) -> None:
        self._declared = declared
        self._metrics = metrics
        self._taken: dict[str, _Taken] = {}
        self._unread: frozenset[str] = frozenset()
        self._catalog: Catalog | None = None

    def take(self, source: Source, revision: Revision) -> None:
        """Decodes what is new in a revision. Raises ``SourceUnavailable``, and then everything is as before."""
        known = self._taken.get(source.name)
        if known is not None and known.revision.id == revision.id:
            return
        ignore = ignore_of(self._contents(source, [revision.files[path] for path in ignore_files(revision)]))
        files = [revision.files[path] for path in candidates(revision, ignore)]
        self._taken[source.name] = _Taken(revision, ignore, self._decode(source, files))
        self._unread -= {source.name}
        self._catalog = None

    def miss(self, source: str) -> None:
        """A source that cannot be read now. Its last good revision stays what counts; without one it is opaque."""
        if source not in self._taken and source not in self._unread:
            self._unread |= {source}
            self._catalog = None

    def catalog(self) -> Catalog:
        """The catalog of everything taken; the very same value while nothing was taken."""
        if self._catalog is None:
            built = build(
                {name: taken.revision for name, taken in self._taken.items()},
                {
                    (name, path): file
                    for name, taken in self._taken.items()
                    for (path, _), file in taken.decoded.items()
                },
                previous=self._declared,
                ignores={name: taken.ignore for name, taken in self._taken.items()},
            )
            self._catalog = _with_unread(built, self._unread, self._declared)
            self._declared = self._catalog.declared_by
        return self._catalog

    def _decode(self, source: Source, files: list[File]) -> dict[tuple[str, str], DecodedFile]:
        before = self._taken.get(source.name)
        known = before.decoded if before else {}
        new = [file for file in files if (file.path, file.blob) not in known]
        fresh = {path: decode_file(path, data) for path, data in self._contents(source, new).items()}
        self._metrics.blobs.inc(len(fresh))
        return {(f.path, f.blob): known.get((f.path, f.blob)) or fresh[f.path] for f in files}

    def _contents(self, source: Source, files: list[File]) -> dict[str, bytes]:
        contents = source.read({file.blob for file in files}) if files else {}
        return {file.path: contents[file.blob] for file in files}


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

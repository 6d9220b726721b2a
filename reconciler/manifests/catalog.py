"""Every manifest of a set of revisions, with its place; documents that could not be used, and what they still hold.

``build`` is a function of revisions, decoded files and what was declared before. The caller reads the files that
``candidates`` names and decodes each with ``decode.decode_file`` (and may keep the results by path and blob).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.manifests.decode import DecodedFile
from reconciler.manifests.document import Document
from reconciler.manifests.gathering import FileId, candidates, gather, ignore_files
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.ignore import Ignore
from reconciler.manifests.judging import judge
from reconciler.manifests.location import Location
from reconciler.manifests.problem import Problem
from reconciler.manifests.revision import Revision

__all__ = ["Catalog", "Document", "FileId", "Location", "build", "candidates", "ignore_files"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What was read. ``broken`` are identities whose document could not be used, or whose file declared them before and
    cannot be decoded now: they count as declared. ``opaque`` are sources in which a file could not be decoded to
    identities and nothing is known of what it declared before: nothing of such a source may be removed.

    ``declared_by`` maps each path of each source to the identities it declares, to be remembered for the next time.
    ``manifest_files`` and ``sops_files`` are what a release made from a folder leaves out.
    """

    revisions: Mapping[str, Revision] = field(default_factory=dict)
    documents: Mapping[ResourceKey, Document] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    broken: Mapping[ResourceKey, str] = field(default_factory=dict)  # identity -> source
    opaque: frozenset[str] = frozenset()
    declared_by: Mapping[tuple[str, str], frozenset[ResourceKey]] = field(default_factory=dict)
    ignored: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (source, path) -> why it was not read
    manifest_files: frozenset[tuple[str, str]] = frozenset()
    sops_files: frozenset[tuple[str, str]] = frozenset()
    ignores: Mapping[str, Ignore] = field(default_factory=dict)
    missing: frozenset[ResourceKey] = frozenset()  # named by some document, and declared by none


def build(
    revisions: Mapping[str, Revision],
    decoded: Mapping[FileId, DecodedFile],
    *,
    previous: Mapping[FileId, frozenset[ResourceKey]] | None = None,
    ignores: Mapping[str, Ignore] | None = None,
) -> Catalog:
    """The catalog of ``revisions`` (by source name).

    ``decoded`` holds every path that ``candidates`` names; one that is missing counts as unreadable. ``previous`` is
    ``declared_by`` of the catalog before; ``ignores`` the rules of each source's ``.reconcilerignore`` files.
    """
    gathered = gather(revisions, decoded, previous or {}, ignores or {})
    judged = judge(gathered.claims)
    return Catalog(
        revisions=revisions,
        documents=judged.documents,
        problems=tuple(sorted({*gathered.problems, *judged.problems})),
        broken={key: judged.broken[key] for key in sorted(judged.broken)},
        opaque=frozenset(gathered.opaque),
        declared_by=gathered.declared_by,
        ignored=gathered.ignored,
        manifest_files=frozenset(gathered.manifest_files),
        sops_files=frozenset(gathered.sops_files),
        ignores=ignores or {},
        missing=frozenset(judged.missing),
    )

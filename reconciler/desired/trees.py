"""Folders of a source as content: the filtered tree that makes a release, and its id.

Left out are what never runs: our manifests, SOPS files, and what ``.reconcilerignore`` names; so that a change of a
manifest alone changes no tree.
"""

from __future__ import annotations

from reconciler.desired.fingerprint import digest
from reconciler.desired.objects import Tree
from reconciler.manifests.catalog import Catalog
from reconciler.manifests.ignore import NOTHING


def tree_of(catalog: Catalog, source: str, folder: str) -> Tree | None:
    """The tree of a folder ("" for the source's root); None when there is no file in it."""
    revision = catalog.revisions.get(source)
    if revision is None:
        return None
    ignore = catalog.ignores.get(source, NOTHING)
    left_out = catalog.manifest_files | catalog.sops_files
    prefix = f"{folder}/" if folder else ""
    files = tuple(
        (path[len(prefix) :], file.blob, file.executable)
        for path, file in sorted(revision.files.items())
        if path.startswith(prefix) and (source, path) not in left_out and not ignore.matches(path)
    )
    return Tree(digest(files, 40), source, files) if files else None

"""Paths as manifests write them, told relative to the source's root. Text only: nothing is looked up."""

from __future__ import annotations

import posixpath


def inside(manifest: str, written: str) -> str | None:
    """The path from the source's root ("" for the root itself) that ``written`` in the file ``manifest`` means.

    Relative to the manifest's folder; with a leading ``/`` to the source's root. None when it leads out of the source
    or cannot be a path in one.
    """
    if "\0" in written or "\\" in written:
        return None
    start = "" if written.startswith("/") else posixpath.dirname(manifest)
    found = posixpath.normpath(posixpath.join(start, written.lstrip("/")) or ".")
    if found == ".." or found.startswith("../"):
        return None
    return "" if found == "." else found

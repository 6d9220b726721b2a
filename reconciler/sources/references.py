"""Which branch names and paths a source may have: checked before anything of them reaches a command line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.errors import InvalidInput

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|(^|/)\.|/$|^/|\.$|^-|^@$")
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def branch_ref(branch: str) -> str:
    """``refs/heads/<branch>``. Raises ``InvalidInput`` for what git does not allow, or could take for an option."""
    if not branch or _FORBIDDEN.search(branch):
        raise InvalidInput(f"branch {branch!r}: is not a name of a branch; give it without refs/heads/, such as 'main'")
    return f"refs/heads/{branch}"


def folder(path: str) -> str:
    """A path inside a source, without slashes around it ("" is all of it). Raises ``InvalidInput`` if it leads out."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or any(ord(char) < 32 for char in path):
        raise InvalidInput(f"path {path!r}: leads out of the source; give a folder in it, such as 'deploy'")
    return "/".join(parts)


def blob_ids(blobs: Iterable[str]) -> list[str]:
    """The ids, each once and sorted. Raises ``InvalidInput`` for what is no id: git would look it up as a name."""
    ids = sorted(set(blobs))
    for blob in ids:
        if not _BLOB.fullmatch(blob):
            raise InvalidInput(f"blob {blob!r}: is not an object id; give 40 hex digits")
    return ids

"""What an entry of a source may be: pure rules that git and plain directories share."""

from __future__ import annotations

import hashlib
import unicodedata

MANIFEST_LIMIT = 1 << 20
"""Bytes a file may have to be read as a manifest; the caller compares it with ``File.size``."""

FILE_LIMIT = 256 << 20
"""Bytes a file may have at all; larger ones are refused."""

SYMLINK = "is a symbolic link, which is never followed; commit the file itself"
SUBMODULE = "is a submodule, which is never fetched; declare its repository as a source of its own"
NOT_REGULAR = "is not a regular file"

LFS_HEADER = b"version https://git-lfs.github.com/spec/"


def unusable(path: str) -> str:
    """Why a path cannot be used ("" when it can): one that leads elsewhere, or that a terminal would obey."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        return "has a name that leads elsewhere"
    if any("\udc80" <= char <= "\udcff" for char in path):
        return "has a name that is not UTF-8"
    if any(unicodedata.category(char) == "Cc" for char in path):
        return "has a name with control characters"
    return ""


def too_large(size: int, limit: int) -> str:
    """Why a file of ``size`` bytes is refused under ``limit``, or ""."""
    return f"has {size} bytes, more than the {limit} allowed" if size > limit else ""


def printable(path: str) -> str:
    """The path as it can be shown and stored: what is not UTF-8 or a control character is written as an escape."""
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if unicodedata.category(c) != "Cc" else c.encode("unicode_escape").decode() for c in shown)


def blob_id(data: bytes, *, algorithm: str = "sha1") -> str:
    """Git's id of these bytes as a blob, in hex."""
    digest = hashlib.new(algorithm, b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def is_lfs_pointer(data: bytes) -> bool:
    """Whether these bytes stand for a file that is kept in Git LFS, and are not the file."""
    return len(data) < 1024 and data.startswith(LFS_HEADER)

"""A revision of a source: which files it has, by content. The bytes stay in the source until somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class File:
    """One regular file. ``blob`` is git's blob id (40 hex digits), for directories too; ``path`` is relative, with "/";
    ``size`` is in bytes."""

    path: str
    blob: str
    executable: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of one source.

    ``id`` is the commit (40 hex digits), or for a plain directory ``dir-`` and a digest of its files.
    ``files`` is by path, relative to the source's path; ``refused`` are entries that are never followed (symbolic
    links, submodules), path to reason. ``author``, ``subject`` and ``committed_at`` (epoch seconds) are for people.
    """

    source: str
    id: str
    files: Mapping[str, File] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    author: str = ""
    subject: str = ""
    committed_at: float = 0.0

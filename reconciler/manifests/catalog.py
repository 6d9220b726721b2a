"""Every manifest of a set of revisions, with its place; documents that could not be used, and what they still hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.problem import Position, Problem
from reconciler.manifests.revision import Revision

Location = tuple[str | int, ...]
"""A path into a document: ("spec", "ports", "http")."""


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest. ``raw`` is its spec as written (what ``extends`` and overrides merge), ``spec`` the same, validated:
    the model of its kind, where patches are applied later (Resource) only as far as it can be judged by itself.

    ``positions`` maps a location in the whole document to (line, column), both from 1.
    """

    key: ResourceKey
    source: str
    path: str
    raw: Mapping[str, Any]
    spec: BaseModel
    metadata: Mapping[str, Any] = field(default_factory=dict)
    positions: Mapping[Location, tuple[int, int]] = field(default_factory=dict)

    def place(self, *location: str | int) -> Position:
        """Where something was written: the longest part of ``location`` that has a position."""
        for end in range(len(location), -1, -1):
            found = self.positions.get(location[:end])
            if found is not None:
                return Position(self.path, *found)
        return Position(self.path)


@dataclass(frozen=True, slots=True)
class Catalog:
    """What was read. ``broken`` are identities whose document could not be used, or whose file declared them before and
    cannot be decoded now: they count as declared. ``opaque`` are sources in which a file could not be decoded to
    identities and nothing is known of what it declared before: nothing of such a source may be removed.

    ``declared_by`` maps each path of each source to the identities it declares, to be remembered for the next time.
    """

    revisions: Mapping[str, Revision] = field(default_factory=dict)
    documents: Mapping[ResourceKey, Document] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    broken: Mapping[ResourceKey, str] = field(default_factory=dict)  # identity -> source
    opaque: frozenset[str] = frozenset()
    declared_by: Mapping[tuple[str, str], frozenset[ResourceKey]] = field(default_factory=dict)
    ignored: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (source, path) -> why it was not read

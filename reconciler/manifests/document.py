"""One manifest that can be used: its identity, what was written, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.location import Location
from reconciler.manifests.problem import Position


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest. ``raw`` is its spec as written (what ``extends`` and overrides merge), ``spec`` the same,
    validated: the model of its kind, where patches are applied later (Resource) only as far as it can be judged by
    itself.

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
        return place_of(self.path, self.positions, location)


def place_of(path: str, positions: Mapping[Location, tuple[int, int]], location: Location) -> Position:
    """The position of the longest part of ``location`` that has one; of the file alone when none has."""
    for end in range(len(location), -1, -1):
        found = positions.get(location[:end])
        if found is not None:
            return Position(path, *found)
    return Position(path)

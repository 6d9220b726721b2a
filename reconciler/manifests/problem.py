"""A located problem: what a person reads, and can act on, when something they wrote is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in a file of a source; line and column start at 1, 0 when only the file is known."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """``field`` is a dotted path such as ``spec.replicas`` ("" for a whole document); ``message`` a lower-case
    fragment with the offending value and, where it is not obvious, the next step."""

    place: Position
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.place} {self.field}: {self.message}" if self.field else f"{self.place} {self.message}"

"""Which features have landed, and the marks that tie fields, values and kinds to one that has not.

A field that waits for its feature is parsed and checked like any other; ``support`` reports it wherever it is set, so
that it blocks its resource and is never quietly ignored. A feature lands by adding its name to ``LANDED``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LANDED: frozenset[str] = frozenset({"certificates", "edge"})
"""Features of this version beyond the embedded default. ``edge`` brings domains, static sites and the edge proxies."""

NOT_YET = "not supported by this version yet"


def landed(feature: str) -> bool:
    """Whether a feature is here; "" is what every version has."""
    return not feature or feature in LANDED


@dataclass(frozen=True, slots=True)
class Later:
    """Marks a field that waits for ``feature``. With ``values``, only those values wait; with ``only``, only values of
    that Python type do (the short form of something whose long form is here)."""

    feature: str
    values: tuple[str, ...] = ()
    only: type | None = None

    def judge(self, value: object) -> str:
        """Why ``value`` cannot be used by this version; "" when it can."""
        if landed(self.feature):
            return ""
        if self.values:
            return f"{value} is {NOT_YET}" if value in self.values else ""
        if self.only is not None and not isinstance(value, self.only):
            return ""
        return NOT_YET

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> Mapping[str, Any]:
        """Leaves a mark in the JSON Schema, from which ``schema`` writes a sentence into the description."""
        found: dict[str, Any] = handler(core_schema)
        return found if landed(self.feature) else {**found, "x-later": self.sentence}

    @property
    def sentence(self) -> str:
        """What the field's description says."""
        if self.values:
            return f"{', '.join(self.values)}: {NOT_YET}."
        return f"As a text: {NOT_YET}." if self.only is str else f"{NOT_YET.capitalize()}."

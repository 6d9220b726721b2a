"""Query parameters: what each may be, said once for the parser and for the OpenAPI document.

A parameter that nobody knows, or a value out of bounds, is refused with everything that is wrong at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.status.views import Fault

TEXT_LIMIT = 253


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``choices`` are all it may be; with ``maximum`` it is a whole number from ``minimum``."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    pattern: str = ""
    minimum: int = 0
    maximum: int | None = None
    default: str | int = ""

    def schema(self) -> dict[str, object]:
        """Its JSON Schema."""
        if self.maximum is not None:
            return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum, "default": self.default}
        text: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return text | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})

    def read(self, text: str) -> str | int:
        """Raises ``ValueError`` with what it should be."""
        if self.maximum is not None:
            return self._number(text)
        if self.choices and text not in self.choices:
            raise ValueError(f"{shown(text)} is none of {', '.join(self.choices)}")
        if not 1 <= len(text) <= TEXT_LIMIT:
            raise ValueError(f"has {len(text)} characters: 1 to {TEXT_LIMIT} are allowed")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueError(f"{shown(text)} does not match {self.pattern}")
        return text

    def _number(self, text: str) -> int:
        expected = f"a whole number from {self.minimum} to {self.maximum}"
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise ValueError(f"{shown(text)} is not {expected}")
        number = int(text)
        if self.maximum is not None and not self.minimum <= number <= self.maximum:
            raise ValueError(f"{number} is not {expected}")
        return number


def shown(text: str) -> str:
    """A value in a message: never longer than a line."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one request, with their defaults, and the parts of its path."""

    values: Mapping[str, str | int]
    path: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return str(self.values.get(name, ""))

    def number(self, name: str) -> int:
        return int(self.values.get(name, 0))


def parse(
    parameters: Sequence[Parameter], given: Iterable[tuple[str, str]]
) -> tuple[dict[str, str | int], list[Fault]]:
    """The values, and all that is wrong with what was given."""
    known = {p.name: p for p in parameters}
    values: dict[str, str | int] = {p.name: p.default for p in parameters}
    faults: list[Fault] = []
    seen: set[str] = set()
    for name, text in given:
        if name not in known:
            expected = ", ".join(sorted(known)) or "none"
            faults.append(Fault(parameter=name[:TEXT_LIMIT], message=f"unknown parameter; known here: {expected}"))
        elif name in seen:
            faults.append(Fault(parameter=name, message="given more than once"))
        else:
            try:
                values[name] = known[name].read(text)
            except ValueError as wrong:
                faults.append(Fault(parameter=name, message=str(wrong)))
        seen.add(name)
    return values, faults

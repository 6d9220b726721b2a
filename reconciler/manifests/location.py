"""Places inside a document, and what is wrong there before anybody knows the file."""

from __future__ import annotations

from dataclasses import dataclass

Location = tuple[str | int, ...]
"""A path into a document: ("spec", "ports", "http")."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at ``location``; ``message`` is a lower-case fragment."""

    location: Location
    message: str


def dotted(location: Location) -> str:
    """A location for people: ``spec.args[2]``. A key with dots or blanks is quoted."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("-", "").replace("_", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part[:80]}"]'
    return text


SECRET_WORDS = ("secret", "password", "sealed", "credential", "token", "private", "apikey")
SECRET_PLACES = frozenset({"variables", "env", "args", "command", "commands", "text", "files", "values", "default"})


def may_hold_secret(location: Location) -> bool:
    """Whether a value there could be, or lie below, a secret: such a value is never shown."""
    names = [part for part in location if isinstance(part, str)]
    return any(
        name in SECRET_PLACES or name.endswith("Ref") or any(word in name.lower() for word in SECRET_WORDS)
        for name in names
    )

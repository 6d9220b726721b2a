"""Takes secret values out of texts that people will read: a program may print what it was given."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from urllib.parse import quote

MASK = "****"
SHORTEST = 4  # characters; masking less would blot out ordinary text


class Redactor:
    """Replaces each value, also where it is URL-encoded or in base64, longest first."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text


def _forms(value: str) -> set[str]:
    encoded = base64.b64encode(value.encode()).decode()
    return {value, quote(value), quote(value, safe=""), encoded, encoded.rstrip("=")}

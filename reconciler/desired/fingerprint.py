"""The only hash: canonical JSON of what is set, digested.

A field that has its default is left out, so that a new optional field in this program changes no digest; the members
of a union carry their name, so that two of them never look alike. Golden digests in the tests hold this still.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

from reconciler.desired.objects import Composite, Link, Plain, SecretRef, Template

_UNION_MEMBERS = (Plain, SecretRef, Link, Composite)


def digest(value: object, length: int = 64) -> str:
    """SHA-256 in hex, cut to ``length`` digits. Takes frozen dataclasses, mappings, sequences, enums and scalars."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def release_of(template: Template) -> str:
    """The release: all that an instance is made of, and nothing else. 64 hex digits."""
    return digest(template)


def stamp_of(*, restart_token: str, redeploy_token: str, secret_digests: Mapping[str, str]) -> str:
    """What replaces instances without changing what they are made of. 12 hex digits, "" when there is nothing."""
    parts = {"restart": restart_token, "redeploy": redeploy_token, "secrets": dict(secret_digests)}
    said = {name: value for name, value in parts.items() if value}
    return digest(said, 12) if said else ""


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        tree = {f.name: _plain(getattr(value, f.name)) for f in fields(value) if not _is_default(value, f)}
        return {"is": type(value).__name__, **tree} if isinstance(value, _UNION_MEMBERS) else tree
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    return value


def _is_default(value: object, declared: Field[Any]) -> bool:
    default = declared.default_factory() if declared.default_factory is not MISSING else declared.default
    return bool(getattr(value, declared.name) == default)

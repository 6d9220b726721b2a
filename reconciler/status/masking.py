"""What may be read of a value. Secrets are known by their reference, by their name, and by the shape of an URL.

Values that a resolver handed out are masked once more, by value, where bytes leave the daemon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.desired.objects import Composite, SecretRef, Value

MASK = "****"

_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:token|passwd|password|passphrase|secret|private_?key|secret_?key|api_?key|access_?key"
    r"|credentials?)$|^database_url$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name counts as a secret, whatever it was declared as."""
    return _SECRET_NAME.search(name) is not None


def clear(text: str) -> str:
    """A text for people: passwords inside of URLs are masked."""
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text)


def named(name: str, text: str) -> str:
    """A plain text under a name: masked whole when the name says so."""
    return MASK if is_secret_name(name) and text else clear(text)


def is_secret(name: str, env: Mapping[str, Value]) -> bool:
    """Whether a variable is a secret, or a template made of one, however many templates deep."""
    return _reaches_secret(name, env, frozenset())


def _reaches_secret(name: str, env: Mapping[str, Value], seen: frozenset[str]) -> bool:
    value = env.get(name)
    if isinstance(value, SecretRef) or is_secret_name(name):
        return True
    if not isinstance(value, Composite) or name in seen:
        return False
    return any(_reaches_secret(part, env, seen | {name}) for part in _REFERENCE.findall(value.template))


def tree(value: object, name: str = "") -> object:
    """A JSON value with every text that its key makes a secret masked."""
    if isinstance(value, Mapping):
        return {str(key): tree(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [tree(inner, name) for inner in value]
    if isinstance(value, str):
        return named(name, value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)

"""What may be read of a value. Secrets are known by their reference, by their name, and by the shape of an URL.

Values that a resolver handed out are masked once more, by value, where bytes leave the daemon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.desired.objects import Composite, SecretRef, Value, Workload

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


def secrets_of(workload: Workload) -> frozenset[str]:
    """The variables that are secrets: by reference, by name, by their origin, or as a template made of one."""
    env = dict(workload.template.env)
    secret = {
        name
        for name, value in env.items()
        if isinstance(value, SecretRef) or is_secret_name(name) or _masked(workload, name)
    }
    while True:
        more = {name for name, value in env.items() if name not in secret and _refers(value, secret)}
        if not more:
            return frozenset(secret)
        secret |= more


def hides(field: str, workload: Workload | None) -> bool:
    """Whether a field of a resource (``env.API_TOKEN``) is named like a secret, or is a variable that is one."""
    name = field.rpartition(".")[2]
    return is_secret_name(name) or (workload is not None and name in secrets_of(workload))


def _masked(workload: Workload, name: str) -> bool:
    origin = workload.origins.get(name)
    return origin is not None and origin.masked


def _refers(value: Value, secret: set[str]) -> bool:
    return isinstance(value, Composite) and not secret.isdisjoint(_REFERENCE.findall(value.template))


def tree(value: object, name: str = "") -> object:
    """A JSON value with every text that its key makes a secret masked."""
    if isinstance(value, Mapping):
        return {str(key): tree(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [tree(inner, name) for inner in value]
    if isinstance(value, str):
        return named(name, value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)

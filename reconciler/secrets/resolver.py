"""Secret references to values: files below allowed roots, and environment variables with an allowed prefix.

A refusal is the same whether something is missing or forbidden, so that nobody explores the host by writing manifests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.desired.objects import SecretRef
from reconciler.errors import SecretUnavailable
from reconciler.secrets.digests import DigestKey, Digests
from reconciler.secrets.files import SIZE_LIMIT, Refused, TooLarge, read_below
from reconciler.secrets.masked import Masked
from reconciler.secrets.redact import Redactor

_LATER = ("sops", "sealed", "kubernetes")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Secrets:
    """Resolves references, and tells ``redactor`` every value before anybody else gets it.

    ``roots`` are where files may be, in the order in which relative locations are looked up. ``env_prefix`` is what
    names of variables must begin with; "" allows none. ``keys`` make the digests, the newest first.
    """

    def __init__(
        self,
        *,
        redactor: Redactor,
        roots: Sequence[Path] = (),
        env_prefix: str = "",
        environ: Mapping[str, str] | None = None,
        keys: Sequence[DigestKey] = (),
    ) -> None:
        self._redactor = redactor
        self._roots = tuple(roots)
        self._env_prefix = env_prefix
        self._environ = os.environ if environ is None else environ
        self._digests = Digests(keys)

    def resolve(self, reference: SecretRef) -> Masked:
        """The value, as it is now. Raises ``SecretUnavailable`` with the reference and the next step."""
        value = Masked(self._value(reference))
        self._redactor.learn(value)
        return value

    def digests(self, reference: SecretRef) -> tuple[str, ...]:
        """``<key id>:<hex>`` under every key, the newest first; other for another value, and for the same elsewhere."""
        return self._digests.of(reference, self.resolve(reference))

    def _value(self, reference: SecretRef) -> bytes:
        if reference.provider == "file":
            return _without_newline(self._file(reference))
        if reference.provider == "env":
            return self._variable(reference)
        if reference.provider in _LATER:
            raise SecretUnavailable(f"{reference}: is not supported by this version yet; use file or env meanwhile")
        raise SecretUnavailable(f"{reference}: there is no provider {reference.provider!r}; use file or env")

    def _file(self, reference: SecretRef) -> bytes:
        for root in self._roots:
            try:
                return read_below(root, reference.location)
            except Refused:
                continue
            except TooLarge as error:
                raise SecretUnavailable(
                    f"{reference}: has more than {SIZE_LIMIT} bytes; a secret is smaller"
                ) from error
        where = ", ".join(str(root) for root in self._roots) or "none: name one in the settings"
        raise SecretUnavailable(
            f"{reference}: is not a readable file, free of links, below an allowed directory ({where}); put it there"
        )

    def _variable(self, reference: SecretRef) -> bytes:
        name, prefix = reference.location, self._env_prefix
        allowed = bool(prefix) and name.startswith(prefix) and _VARIABLE.fullmatch(name) is not None
        value = self._environ.get(name) if allowed else None
        if value is None:
            begin = f"begins with {prefix}" if prefix else "is allowed: name a prefix in the settings"
            raise SecretUnavailable(f"{reference}: is not a variable of the daemon that {begin}; set it")
        return os.fsencode(value)


def _without_newline(data: bytes) -> bytes:
    """Without the one line end that editors and ``echo`` put there."""
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data

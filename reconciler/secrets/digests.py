"""Keyed digests of secret values: they tell that a value changed, and nothing about it.

Keys are files of the operator's, named in the settings, the newest first. New digests are made with the newest; older
ones still verify what was made with them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.objects import SecretRef
from reconciler.errors import InvalidInput, SecretUnavailable
from reconciler.secrets.masked import Masked

KEY_BYTES = 32
_ID = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class DigestKey:
    """``id`` stands before every digest made with it; it never stands for another key later."""

    id: str
    key: Masked


class Digests:
    """``keys`` are in order, the newest first."""

    def __init__(self, keys: Sequence[DigestKey]) -> None:
        self._keys = tuple(keys)

    def of(self, reference: SecretRef, value: Masked) -> tuple[str, ...]:
        """``<key id>:<hex>``, 64 hex digits, under every key. Raises ``SecretUnavailable`` where there is none."""
        if not self._keys:
            raise SecretUnavailable(
                f"{reference}: there is no digest key; make a file with 64 random hex digits that only the daemon's "
                "user can read, and name it in the settings under digestKeys"
            )
        return tuple(_digest(key, reference, value) for key in self._keys)


def _digest(key: DigestKey, reference: SecretRef, value: Masked) -> str:
    keyed = hmac.new(key.key.reveal(), digestmod=hashlib.sha256)
    for part in (reference.provider.encode(), reference.location.encode("utf-8", "surrogateescape"), value.reveal()):
        keyed.update(len(part).to_bytes(8, "big"))  # lengths, so that no two triples read alike
        keyed.update(part)
    return f"{key.id}:{keyed.hexdigest()}"


def read_keys(files: Iterable[tuple[str, Path]]) -> tuple[DigestKey, ...]:
    """The keys of these (id, file), in their order. Raises ``InvalidInput`` and ``SecretUnavailable``."""
    keys: dict[str, DigestKey] = {}
    for name, path in files:
        if not _ID.fullmatch(name):
            raise InvalidInput(f"digestKeys: the id {name!r} is not made of a-z, 0-9, '-' and '.'; choose another")
        if name in keys:
            raise InvalidInput(f"digestKeys: the id {name!r} stands there twice; give every key an id of its own")
        keys[name] = DigestKey(name, _read_key(path))
    return tuple(keys.values())


def _read_key(path: Path) -> Masked:
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            text = stream.read(4096)
    except OSError as error:
        raise SecretUnavailable(f"{path}: the digest key cannot be read: {error.strerror}; check the path") from error
    if mode & 0o077:
        raise SecretUnavailable(f"{path}: the digest key has mode {mode:04o}; make it its owner's alone: chmod 600")
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise SecretUnavailable(f"{path}: the digest key is not {2 * KEY_BYTES} hex digits or more; make a new one")
    return Masked(key)


def generate_key_file(path: Path) -> None:
    """Writes a new random key, readable by its owner only from the start, whole or not at all. Raises ``InvalidInput``
    when something is there already: a key that is replaced under its id makes old digests look wrong."""
    try:
        opened, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be made: {error.strerror}; check its directory") from error
    try:
        with os.fdopen(opened, "w", encoding="ascii") as stream:
            stream.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(aside, path)
    except FileExistsError as error:
        raise InvalidInput(f"{path}: is there already; keep it, or make the new key beside it") from error
    finally:
        with suppress(OSError):
            Path(aside).unlink()

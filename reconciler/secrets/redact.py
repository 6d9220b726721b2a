"""Keeps values of secrets out of what is shown, by value: whatever way one got into a text, it does not leave in it.

Used where text leaves the daemon: logs, the read surface, events, statuses.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from reconciler.secrets.encodings import renderings
from reconciler.secrets.masked import MASK, Masked

SHORTEST = 4
"""Bytes below which a value is not looked for: it would be found in everything."""

T = TypeVar("T", str, bytes)

_DEPTH = 64
_MASK = MASK.encode()


class Redactor:
    """Knows the values that were resolved in this daemon's life, and replaces them by ``****``. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[bytes] = set()
        self._patterns: tuple[bytes, ...] = ()
        self._texts: tuple[str, ...] = ()

    def learn(self, value: Masked) -> bool:
        """Looks for this value from now on. False when it is too short to be looked for, which is worth a warning."""
        raw = value.reveal()
        if len(raw) < SHORTEST:
            return False
        with self._lock:
            if raw not in self._values:
                self._values.add(raw)
                self._patterns = _ordered({*self._patterns, *renderings(raw)})
                self._texts = tuple(pattern.decode("utf-8", "surrogateescape") for pattern in self._patterns)
        return True

    def text(self, text: str) -> str:
        """The text with every rendering of a known value replaced."""
        return MASK.join(_kept(text, self._texts))

    def data(self, data: bytes) -> bytes:
        """The same for bytes."""
        return _MASK.join(_kept(data, self._patterns))

    def structure(self, value: Any) -> Any:
        """The same for whatever JSON can say, keys included; another object is shown as its text if that was spoilt,
        and handed on as it is otherwise. The result shares nothing that it changed with ``value``."""
        return self._structure(value, _DEPTH)

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor for structlog: after tracebacks were made into text, before anything is rendered."""
        return {self.text(str(key)): self.structure(value) for key, value in event.items()}

    def _structure(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes | bytearray):
            return self.data(bytes(value))
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Masked):
            return MASK
        if not depth:
            return MASK
        if isinstance(value, Mapping):
            return {self._structure(key, depth - 1): self._structure(item, depth - 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return _collected(value, [self._structure(item, depth - 1) for item in value])
        return self._object(value)

    def _object(self, value: Any) -> Any:
        shown = f"{value} {value!r}"
        return value if self.text(shown) == shown else self.text(str(value))


def _collected(value: Any, items: list[Any]) -> Any:
    """A tuple of what was in a tuple, a list of everything else; what had no order is sorted."""
    if isinstance(value, set | frozenset):
        return sorted(items, key=repr)
    return tuple(items) if isinstance(value, tuple) else items


def _kept(text: T, patterns: Iterable[T]) -> list[T]:
    """What is left between the places where any pattern is. Places that touch are one: neither leaves a remainder."""
    spans: list[tuple[int, int]] = sorted(span for pattern in patterns for span in _places(text, pattern))
    kept: list[T] = []
    at = 0
    for start, end in _merged(spans):
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    return kept


def _places(text: T, pattern: T) -> Iterator[tuple[int, int]]:
    at = text.find(pattern)
    while at >= 0:
        yield at, at + len(pattern)
        at = text.find(pattern, at + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current


def _ordered(patterns: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted((p for p in patterns if len(p) >= SHORTEST and p != _MASK), key=lambda p: (-len(p), p)))

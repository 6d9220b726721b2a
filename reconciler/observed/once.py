"""A value that follows from a frozen one, found out when it is first asked for: so that looking up does not search.

It lies in a field of its owner that takes no part in comparing, hashing or copying (``once()``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Key = TypeVar("Key")


class Once(Generic[T]):
    """Asked by several threads at once it may be found out twice, to the same end."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[T] = []

    def get(self, find: Callable[[], T]) -> T:
        """What was found before, else what ``find`` finds now."""
        if not self._found:
            self._found.append(find())
        return self._found[0]


def once() -> Any:
    """The field of a dataclass that holds a ``Once``; ``dataclasses.replace`` begins with a new one."""
    return field(default_factory=Once, init=False, repr=False, compare=False)


def grouped(items: Iterable[T], *, by: Callable[[T], Key]) -> dict[Key, list[T]]:
    """Items by a key of theirs, in their order."""
    groups: dict[Key, list[T]] = {}
    for item in items:
        groups.setdefault(by(item), []).append(item)
    return groups

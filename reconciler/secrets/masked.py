"""A secret value that nothing shows by accident: not a log, a format, a traceback, a copy or a pickle."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, Self, final

MASK = "****"


@final
class Masked:
    """Holds ``value`` until ``reveal``. Equal values are equal, found out in constant time; it cannot be hashed."""

    __slots__ = ("__value",)
    __value: bytes

    def __init__(self, value: bytes) -> None:
        object.__setattr__(self, "_Masked__value", bytes(value))

    def reveal(self) -> bytes:
        """The value itself. Called only where it is handed to whoever needs it."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masked) and hmac.compare_digest(self.__value, other.__value)

    __hash__ = None  # type: ignore[assignment]  # a hash is a digest without a key

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a masked value is never serialised; reveal it where it is used")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a masked value never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a masked value never changes")

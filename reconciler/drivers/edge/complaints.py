"""Why Caddy did not start, out of its own last words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.errors import InvalidInput, ReconcilerError, TransientError

_TAKEN = re.compile(r"listen \w+ (\S+): bind: address already in use")
_FORBIDDEN = re.compile(r"listen \w+ (\S+): bind: permission denied")


class AddressTaken(TransientError):
    """Somebody else listens on ``address``."""

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message)
        self.address = address


def taken(said: str) -> ReconcilerError | None:
    """What to tell a person of an address that cannot be had; None when it is not about one."""
    if found := _TAKEN.search(said):
        way = "end what listens there, or give the server another spec.edgeProxy.listen"
        return AddressTaken(f"edge: {found[1]} is taken by another program; {way}", found[1])
    if found := _FORBIDDEN.search(said):
        way = "listen on ports from 1024 up (spec.edgeProxy.listen), or allow caddy the others (setcap, sysctl)"
        return InvalidInput(f"edge: the daemon's user may not listen on {found[1]}; {way}")
    return None


def why(output: Sequence[str]) -> ReconcilerError:
    """The error for a Caddy that ended while it was to start; ``output`` are its last lines."""
    said = "\n".join(output)
    last = next((line for line in reversed(output) if line.strip()), "it said nothing")
    return taken(said) or InvalidInput(f"edge: caddy ended while it was to start: {last}")

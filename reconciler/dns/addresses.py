"""Under which addresses this machine is reached, as far as it can know: behind a translating router it cannot."""

from __future__ import annotations

import ipaddress
import socket

_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))  # documentation's own, never answered


def public_addresses() -> tuple[str, ...]:
    """The public addresses that this machine would speak to the world from, sorted; nothing is sent to find out."""
    found = set()
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 53))
                found.add(ipaddress.ip_address(probe.getsockname()[0]))
        except OSError:
            continue
    return tuple(sorted(str(address) for address in found if address.is_global))

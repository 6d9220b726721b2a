"""Ports for what is started again: below those that the kernel gives to connections, which might take it meanwhile."""

from __future__ import annotations

import socket


def quiet_port() -> int:
    """A free one, spread by what the kernel would have given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = 10000 + probe.getsockname()[1] % 20000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        return int(number)

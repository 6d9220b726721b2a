"""The status listener in a thread of its own: reconciliation goes on without it, and never waits for it."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass, field

import uvicorn

from reconciler.api.access import is_loopback
from reconciler.api.app import create_app
from reconciler.api.board import Surface
from reconciler.errors import InvalidInput

START_SECONDS = 10.0


@dataclass(slots=True)
class StatusServer:
    """Port 0 takes a free one; ``port`` says which after ``start``."""

    surface: Surface
    host: str = "127.0.0.1"
    port: int = 7780
    _server: uvicorn.Server | None = field(default=None, repr=False)
    _closing: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Binds and serves. Raises ``InvalidInput`` when it may not listen there, or cannot."""
        if not self.surface.token and not is_loopback(self.host):
            raise InvalidInput(f"listen {self.host}: without a token only loopback is served; configure one")
        listener = self._bind()
        self.port = listener.getsockname()[1]
        self._closing.clear()
        self._server = uvicorn.Server(_configuration(self.surface, self._closing))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="status", daemon=True)
        self._thread.start()
        self._await_start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Ends open streams after two seconds at most. May be called twice."""
        if self._server is not None and self._thread is not None:
            self._closing.set()
            self._server.should_exit = True
            self._thread.join(timeout=START_SECONDS)
            self._server = self._thread = None

    def _bind(self) -> socket.socket:
        try:
            family = socket.AF_INET6 if ipaddress.ip_address(self.host).version == 6 else socket.AF_INET
        except ValueError:
            raise InvalidInput(f"listen {self.host!r}: not an address, such as 127.0.0.1") from None
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
        except OSError as failed:
            listener.close()
            reason = failed.strerror or str(failed)
            raise InvalidInput(f"listen {self.host}:{self.port}: {reason.lower()}; choose another port") from failed
        return listener

    def _await_start(self) -> None:
        ready = threading.Event()
        for _ in range(int(START_SECONDS / 0.01)):
            if self._server is not None and self._server.started:
                return
            if self._thread is None or not self._thread.is_alive():
                break
            ready.wait(0.01)
        raise InvalidInput(f"listen {self.host}:{self.port}: the status listener did not start; see the log")


def _configuration(surface: Surface, closing: threading.Event) -> uvicorn.Config:
    """Forwarding headers are never believed: a proxy that is on this machine would make everybody local."""
    return uvicorn.Config(
        create_app(surface, closing=closing),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=15,
        limit_concurrency=256,
    )

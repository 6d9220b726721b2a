"""The listener itself: a free port, real sockets, and an end that waits for nobody."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from reconciler.api.server import StatusServer
from reconciler.errors import InvalidInput
from tests.api import shop

pytestmark = pytest.mark.real


@pytest.fixture
def server() -> Iterator[StatusServer]:
    started = StatusServer(shop.surface(), port=0)
    started.start()
    yield started
    started.stop()


def ask(server: StatusServer, path: str, *, method: str = "GET", headers: dict[str, str] | None = None):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    connection.request(method, path, headers=headers or {})
    return connection, connection.getresponse()


def test_a_free_port_is_taken_and_told(server: StatusServer) -> None:
    """Port 0 becomes a real one, under which the daemon answers."""
    connection, answer = ask(server, "/healthz")
    assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')
    assert server.port > 0
    assert server.url == f"http://127.0.0.1:{server.port}"
    connection.close()


def test_a_local_proxy_does_not_make_everybody_local(server: StatusServer) -> None:
    """A forwarded request over loopback is refused: the server believes no header about who asked."""
    connection, answer = ask(server, "/api/v1/status", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status == 403
    connection.close()


def test_writing_is_refused_on_the_wire(server: StatusServer) -> None:
    """A POST is 405; a HEAD has headers alone."""
    connection, answer = ask(server, "/api/v1/status", method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    connection.close()
    connection, answer = ask(server, "/api/v1/status", method="HEAD")
    assert (answer.status, answer.read()) == (200, b"")
    connection.close()


def test_an_open_stream_does_not_hold_the_end(server: StatusServer) -> None:
    """A listener that never leaves is cut off when the daemon stops."""
    connection, answer = ask(server, "/api/v1/events", headers={"Accept": "text/event-stream"})
    assert answer.readline() == b"event: heartbeat\n"
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=5)
    connection.close()


@pytest.mark.parametrize("path", ["/live", "/api/v1/events?limit=1"])
def test_an_open_stream_is_ended_in_good_order(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever watches a page when the daemon stops gets the end of the stream, and no log a traceback."""
    server = StatusServer(shop.surface(), port=0)
    server.start()
    connection, answer = ask(server, path, headers={"Accept": "text/event-stream"})
    answer.readline()
    server.stop()
    answer.read()  # an IncompleteRead if it were cut
    connection.close()
    assert caplog.records == []


def test_a_taken_port_is_said() -> None:
    """The address and the reason are in the message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=rf"listen 127\.0\.0\.1:{port}: address already in use"):
            StatusServer(shop.surface(), port=port).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_elsewhere_only_with_a_token(host: str) -> None:
    """Listening beyond loopback without a token is an error at the start."""
    with pytest.raises(InvalidInput, match="without a token only loopback is served"):
        StatusServer(shop.surface(), host=host, port=0).start()


def test_stopping_twice_is_fine() -> None:
    """The second stop does nothing."""
    server = StatusServer(shop.surface(), port=0)
    server.start()
    server.stop()
    server.stop()

"""The real proxy below a process driver: started, told, found again, meddled with."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.desired.objects import EdgeCertificate, EdgeObject, SecretRef
from reconciler.drivers.edge import binary
from reconciler.drivers.edge.admin import Admin
from reconciler.drivers.edge.caddy import Caddy
from reconciler.drivers.process import proc
from reconciler.errors import Conflict, InvalidInput, TransientError
from reconciler.observed.snapshot import Collection, EdgeState
from reconciler.plan.actions import Action, EdgeSpec, Verb
from tests.drivers.edge.admin import raw
from tests.drivers.edge.pem import self_signed
from tests.drivers.edge.scene import FURNITURE, address, route
from tests.drivers.process.bench import HERE, ME, Bench
from tests.ports import quiet_port

pytestmark = pytest.mark.real


class EdgeBench(Bench):
    """A bench whose drivers have the edge; its folder may be deeper than a socket's address can tell."""

    def __init__(self, root, asked):
        super().__init__(root)
        self.asked = asked
        self.place = root / "edge"
        self.edge = EdgeObject(http=f"127.0.0.1:{quiet_port()}", https=f"127.0.0.1:{quiet_port()}")
        self.driver = self.fresh()

    def fresh(self, **options):
        return self.another(edge=partial(Caddy, HERE, ME, self.secrets), **options)

    def act(self, verb, *routes, certificates=(), **changes):
        spec = EdgeSpec(replace(self.edge, **changes), routes, certificates)
        self.driver.apply(Action(FURNITURE, HERE, verb, HERE.name, payload=spec))

    def get(self, host, path="/"):
        connection = http.client.HTTPConnection(self.edge.http, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @property
    def pid(self):
        return self.driver._edge.last_run().pid

    def clean(self):
        run = self.driver._edge.last_run()
        if run is not None and proc.alive(run):
            os.kill(run.pid, signal.SIGKILL)
        super().clean()


@pytest.fixture
def edge(place, monkeypatch):
    asked = []
    inner = Admin._request

    def counted(self, method, *rest):
        asked.append(method)
        return inner(self, method, *rest)

    monkeypatch.setattr(Admin, "_request", counted)
    made = EdgeBench(place / ("long" * 30) / "state", asked)
    yield made
    made.clean()


@pytest.fixture
def running(edge):
    edge.act(Verb.START_EDGE)
    return edge


@contextmanager
def program(text):
    """Somebody who answers everything with ``text``; the answer is where."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"{text} {self.path} {self.headers['Host']} {self.headers['X-Forwarded-For']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_is_absent_until_it_is_started(edge):
    """And its routes are known: there are none."""
    seen = edge.driver.observe()
    assert (seen.edge.state, seen.routes, seen.unknown) == (EdgeState.ABSENT, {}, frozenset())


def test_a_started_one_listens_and_knows_nobody(running):
    """Only the daemon's user may talk to it."""
    seen = running.driver.observe()
    assert (seen.edge.state, seen.edge.listening) == (EdgeState.RUNNING, (running.edge.http,))
    assert running.get("anybody.localhost")[0] == 404
    assert (running.place.stat().st_mode & 0o777, (running.place / "admin.sock").stat().st_mode & 0o777) == (
        0o700,
        0o200,
    )


def test_starting_and_stopping_may_be_repeated(running):
    """One process, and then none; what it was told comes back with it."""
    before = running.pid
    running.act(Verb.CONFIGURE_EDGE, route("a.localhost/"))
    running.act(Verb.START_EDGE)
    assert running.pid == before
    for _ in range(2):
        running.act(Verb.STOP_EDGE)
    assert running.driver.observe().edge.state is EdgeState.ABSENT
    running.act(Verb.START_EDGE)
    assert list(running.driver.observe().routes) == ["a.localhost/"]


def test_requests_go_where_they_are_told(running):
    """By host and path, prefix taken off, name kept, client named; and through a stable address."""
    with program("one") as one, program("two") as two:
        stable = address("web-http-0", f"127.0.0.1:{quiet_port()}", two)
        routes = (route("a.localhost/", one), route("a.localhost/api", two, strip_prefix=True), stable)
        running.act(Verb.CONFIGURE_EDGE, *routes)
        name = f"{running.edge.http}"
        assert running.get("a.localhost", "/x?y")[1] == "one /x?y a.localhost 127.0.0.1"
        assert running.get("a.localhost", "/api/z")[1] == "two /z a.localhost 127.0.0.1"
        assert running.get("a.localhost", "/apiary")[1] == "one /apiary a.localhost 127.0.0.1"
        assert running.driver.observe().routes == {r.id: r for r in routes}
        running.edge = replace(running.edge, http=stable.shape.listen)
        assert running.get("any")[1] == "two / any 127.0.0.1"
        running.edge = replace(running.edge, http=name)


def test_a_dead_upstream_harms_nobody_while_another_lives(running):
    """Every request is answered by the other."""
    with program("alive") as alive:
        running.act(Verb.CONFIGURE_EDGE, route("a.localhost/", alive, f"127.0.0.1:{quiet_port()}"))
        assert {running.get("a.localhost")[0] for _ in range(20)} == {200}


def test_nobody_there_is_not_a_broken_one(running):
    """503 before there is anybody, 502 when who is there does not answer."""
    running.act(Verb.CONFIGURE_EDGE, route("none.localhost/"), route("dead.localhost/", f"127.0.0.1:{quiet_port()}"))
    assert [running.get(f"{name}.localhost")[0] for name in ("none", "dead")] == [503, 502]


def test_a_site_is_served_without_its_secrets(running):
    """Its index, its files; what begins with a dot is not there."""
    tree = running.tree_of({"index.html": b"<h1>", "a/b.txt": b"b", ".env": b"KEY", "a/.git/x": b"x"})
    running.driver.apply(Action(running.unit, HERE, Verb.EXPORT_TREE, tree.id, payload=tree))
    running.act(Verb.CONFIGURE_EDGE, route("site.localhost/", static=tree.id))
    paths = ("/", "/a/b.txt", "/.env", "/a/.git/x", "/nothing", "/%2e%2e/%2e%2e/edge/launch.json")
    assert [running.get("site.localhost", path)[0] for path in paths] == [200, 200, 404, 404, 404, 404]


def test_looking_is_one_request_and_no_change_is_no_write(running):
    """Counted: one read to look, one read where nothing differs, one write where something does."""
    routes = (route("a.localhost/"), route("b.localhost/"))
    running.act(Verb.CONFIGURE_EDGE, *routes)
    running.asked.clear()
    running.driver.observe()
    assert running.asked == ["GET"]
    running.act(Verb.CONFIGURE_EDGE, *routes)
    assert running.asked == ["GET", "GET"]
    running.act(Verb.CONFIGURE_EDGE, *routes, route("c.localhost/"))
    assert running.asked == ["GET", "GET", "GET", "POST"]


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(running):
    """The write is refused whole; the next pass looks again."""
    admin = Admin(running.place / "admin.sock")
    config, version = admin.get()
    raw(running.place, {**config, "logging": {"logs": {"default": {"level": "ERROR"}}}})
    with pytest.raises(Conflict):
        admin.post(config, version)


def test_a_killed_one_is_down_and_its_routes_are_unknown(running):
    """Nobody may conclude that they are gone; started again, it has them all."""
    running.act(Verb.CONFIGURE_EDGE, route("a.localhost/"))
    os.kill(running.pid, signal.SIGKILL)
    running.until(lambda: running.driver.observe().edge.state is EdgeState.DOWN)
    assert running.driver.observe().unknown == {Collection.ROUTES}
    running.act(Verb.START_EDGE)
    seen = running.driver.observe()
    assert (seen.edge.state, list(seen.routes), seen.unknown) == (EdgeState.RUNNING, ["a.localhost/"], frozenset())


def test_a_watched_one_comes_back_by_itself(edge):
    """Without any pass, with its exit on record."""
    edge.driver = edge.fresh(watch=True)
    edge.act(Verb.START_EDGE)
    before = edge.pid
    edge.until(lambda: edge.driver._supervisor._keeper._watched is not None)
    os.kill(before, signal.SIGKILL)
    edge.until(lambda: edge.pid != before and edge.driver.observe().edge.state is EdgeState.RUNNING)
    assert edge.driver._edge.exits().count == 1


def test_a_new_driver_adopts_it(running):
    """The same process, seen at once, and stopped by who did not start it."""
    running.act(Verb.CONFIGURE_EDGE, route("a.localhost/"))
    before = running.pid
    running.driver.close()
    running.driver = running.fresh()
    seen = running.driver.observe()
    assert (running.pid, seen.edge.state, list(seen.routes)) == (before, EdgeState.RUNNING, ["a.localhost/"])
    running.act(Verb.STOP_EDGE)
    assert not proc.alive(running.driver._edge.last_run())


@pytest.mark.parametrize("saved", [b"{", b"[]", b'{"admin": {"disabled": true}}', b'{"apps": {"nonsense": {}}}'])
def test_whatever_was_saved_it_starts_and_can_be_reached(running, saved):
    """What makes no sense is set aside, and it is told anew."""
    os.kill(running.pid, signal.SIGKILL)
    running.until(lambda: running.driver.observe().edge.state is EdgeState.DOWN)
    (running.place / "config" / "caddy" / "autosave.json").write_bytes(saved)
    running.act(Verb.START_EDGE)
    seen = running.driver.observe().edge
    assert (seen.state, seen.listening) == (EdgeState.RUNNING, (running.edge.http,))


def test_a_taken_listener_is_told_by_its_address(running):
    """What it did before, it goes on doing."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(TransientError, match=f"{taken} is taken by another program"):
            running.act(Verb.CONFIGURE_EDGE, route("a.localhost/"), http=taken)
    assert running.get("a.localhost")[0] == 404


def test_a_taken_stable_address_keeps_only_its_own_waiting(running):
    """The others are written, and then the one is named."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = address("web-http-0", f"127.0.0.1:{other.getsockname()[1]}", "127.0.0.1:1")
        with pytest.raises(TransientError, match="web-http-0: its stable address"):
            running.act(Verb.CONFIGURE_EDGE, route("a.localhost/"), taken)
    assert list(running.driver.observe().routes) == ["a.localhost/"]


def test_a_listener_that_is_taken_at_the_start_is_told_too(running):
    """It is down, with words that say what to do."""
    os.kill(running.pid, signal.SIGKILL)
    running.until(lambda: running.driver.observe().edge.state is EdgeState.DOWN)
    host, port = running.edge.http.split(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        running.until(lambda: bound(other, host, int(port)))
        other.listen()
        with pytest.raises(TransientError, match=f"{running.edge.http} is taken"):
            running.act(Verb.START_EDGE)
    running.act(Verb.START_EDGE)
    assert running.driver.observe().edge.state is EdgeState.RUNNING


def test_without_the_program_it_is_said_how_to_get_it(edge, monkeypatch):
    """Both ways; nothing else on the server is harmed."""
    monkeypatch.setattr(binary.shutil, "which", lambda *_, **__: None)
    with pytest.raises(InvalidInput, match=r"embedded.*PATH"):
        edge.act(Verb.START_EDGE)
    assert edge.driver.observe().unknown == {Collection.ROUTES}


def test_a_certificate_that_was_brought_along_is_shown(running):
    """Its key is in a file of the proxy's own, in no configuration; it goes with its last route."""
    certificate, pem = self_signed("own.localhost")
    running.secrets.values["own"] = pem
    told = (EdgeCertificate("own-1", SecretRef("file", "own")),)
    running.act(Verb.CONFIGURE_EDGE, route("own.localhost/", tls="own-1"), certificates=told)
    assert certificate == shown(running.edge.https, "own.localhost")
    kept = running.place / "certificates" / "own-1.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in str(raw(running.place))
    running.act(Verb.CONFIGURE_EDGE, route("own.localhost/", tls="own-1"))
    assert not any(r.altered for r in running.driver.observe().routes.values())
    running.act(Verb.CONFIGURE_EDGE)
    assert not kept.exists()


def test_local_names_get_certificates_of_our_own_authority(running):
    """And nothing is written into the machine's trust store."""
    running.act(Verb.CONFIGURE_EDGE, route("safe.localhost/", tls="internal"))
    running.until(lambda: shown(running.edge.https, "safe.localhost") != b"")
    assert (running.place / "data" / "caddy" / "pki" / "authorities" / "reconciler" / "root.crt").exists()
    assert b"certificate installed" not in (running.place / "log").read_bytes()
    assert running.get("safe.localhost")[0] == 308


def bound(other, host, port):
    """Whether the address could be had; who was killed may still hold it for a moment."""
    try:
        other.bind((host, port))
    except OSError:
        return False
    return True


def shown(address, name):
    """The certificate that a client is shown; empty while there is none."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert(True)
        except ssl.SSLError:
            return b""

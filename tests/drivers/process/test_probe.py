"""One question to one program, and what its answer means."""

import http.server
import os
import socket
import threading

import pytest

from reconciler.desired.objects import Probe
from reconciler.drivers.process import proc
from reconciler.drivers.process.probe import Patient, ask
from reconciler.drivers.process.record import Launch, RunRecord

ME = RunRecord(0, 0, "no boot")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path names, and with what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(int(self.path.strip("/") or 200))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(b"all is well")

    do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def asked(probe, port=0, *, timeout=5.0, launch=None, run=ME):
    return ask(Patient(probe, {"http": port} if port else {}, run, timeout, launch))


@pytest.mark.parametrize(
    ("probe", "good", "text"),
    [
        (Probe("http"), True, "GET /: 200"),
        (Probe("http", path="/204"), True, "GET /204: 204"),
        (Probe("http", path="/302"), True, "GET /302: 302"),
        (Probe("http", path="/404"), False, "GET /404: 404, expected 2xx or 3xx"),
        (Probe("http", path="/404", statuses=(404,)), True, "GET /404: 404"),
        (Probe("http", statuses=(201, 202)), False, "GET /: 200, expected 201/202"),
        (Probe("http", text="is well"), True, "GET /: 200"),
        (Probe("http", text="is ill"), False, "GET /: 200 without the text 'is ill'"),
        (Probe("http", method="HEAD"), True, "HEAD /: 200"),
        (Probe("tcp", port="http"), True, "connect: accepted"),
    ],
)
def test_answers(server, probe, good, text):
    """2xx and 3xx pass, unless others are named; a redirect is not followed."""
    answer = asked(probe, server.server_port)
    assert (answer.good, answer.text) == (good, text)


def test_what_is_asked(server):
    """The declared host, and as if it had come through the edge."""
    asked(Probe("http", path="/200", host="shop.example"), server.server_port)
    ((method, path, headers),) = server.asked
    assert (method, path, headers["Host"], headers["X-Forwarded-Proto"]) == ("GET", "/200", "shop.example", "https")


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_nobody_listens(kind):
    """A refused connection names the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = asked(Probe(kind), port)
    assert not answer.good and str(port) in answer.text


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_no_port_is_declared(kind):
    """It cannot be asked, and says so."""
    assert "no port" in asked(Probe(kind)).text


@pytest.mark.parametrize("drips", [False, True])
def test_one_that_never_finishes(drips):
    """Silence and drips alike end with the deadline."""
    done = threading.Event()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer_slowly():
            connection, _ = listener.accept()
            with connection:
                while not done.wait(0.02):
                    if drips:
                        connection.send(b"H")

        thread = threading.Thread(target=answer_slowly)
        thread.start()
        answer = asked(Probe("http"), listener.getsockname()[1], timeout=0.2)
        done.set()
        thread.join()
    assert (answer.good, answer.text) == (False, "GET /: no answer within 0.2 s")


def test_one_that_speaks_something_else():
    """No exception of a library's gets out."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-x\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        answer = asked(Probe("http"), listener.getsockname()[1])
        thread.join()
    assert not answer.good and answer.text.startswith("GET /: ")


def test_where_it_listens_instead():
    """The most common mistake is named."""
    seen = proc.stat(os.getpid())
    leader = proc.stat(os.getsid(0))
    run = RunRecord(leader.pid, leader.start, proc.boot_id()) if leader else None
    if run is None or seen is None:
        pytest.skip("the leader of this session is not visible here")
    with socket.socket() as listener, socket.socket() as free:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        free.bind(("127.0.0.1", 0))
        expected = free.getsockname()[1]
        answer = asked(Probe("http"), expected, run=run)
        assert str(listener.getsockname()[1]) in answer.text
    assert answer.text.startswith("listens on ") and answer.text.endswith(f"expected $PORT={expected}")


@pytest.mark.real
class TestCommands:
    LAUNCH = Launch(("x",), {"PATH": "/usr/bin:/bin", "WELL": "yes"}, "/")

    @pytest.mark.parametrize(
        ("script", "good", "text"),
        [
            ('test "$WELL" = yes', True, "health command: exit code 0"),
            ("echo first; echo broken; exit 3", False, "health command: exit code 3: broken"),
            ('test -z "$HOME" && test "$PWD" = /', True, "health command: exit code 0"),
        ],
    )
    def test_exit_codes(self, script, good, text):
        """It runs in the program's own environment and place."""
        answer = asked(Probe("command", command=("sh", "-c", script)), launch=self.LAUNCH)
        assert (answer.good, answer.text) == (good, text)

    def test_one_that_hangs(self, tmp_path):
        """It is killed with its children."""
        script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
        answer = asked(Probe("command", command=("sh", "-c", script)), timeout=0.5, launch=self.LAUNCH)
        child = int((tmp_path / "child").read_text())
        assert answer.text == "health command: no answer within 0.5 s"
        seen = proc.stat(child)
        assert seen is None or seen.dead

    def test_one_that_is_not_there(self):
        """It is a bad answer, not a broken probe."""
        assert not asked(Probe("command", command=("no-such-program",)), launch=self.LAUNCH).good

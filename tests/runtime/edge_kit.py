"""The house with an edge: programs by name, releases, and everything that a person would try with them."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from pathlib import Path

from tests.ports import quiet_port
from tests.runtime.house import House

HOST = "shop.localhost"
PROGRAM = r"""
import http.server, os, signal, sys, threading, time
greeting = os.environ["GREETING"]
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        from_outside = "X-Forwarded-For" in self.headers
        if from_outside:
            with open(os.path.join(os.environ["SEEN"], greeting), "a") as seen:
                seen.write(".")
        if self.path == "/ws":
            return self.echo()
        if self.path == "/slow":
            return self.slow()
        if self.path == "/ask":
            import urllib.request
            body = urllib.request.urlopen(os.environ["WEB"], timeout=10).read()
        else:
            body = f"{greeting} {os.getpid()}".encode()
        self.send_response(500 if greeting.startswith("bad") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def echo(self):
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        while data := self.connection.recv(100):
            self.connection.sendall(greeting.encode() + b":" + data)
        self.close_connection = True
    def slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "4000")
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b"x" * 100)
            self.wfile.flush()
            time.sleep(0.1)
    def log_message(self, *args): ...
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
BASE = """
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {{name: here}}
spec:
  connection: {{kind: local}}
  engine: process
  portRange: "{first}-{last}"
  edgeProxy: {{kind: caddy, listen: {{http: "127.0.0.1:{http}"}}}}
---
apiVersion: reconciler.dev/v1alpha1
kind: Project
metadata: {{name: shop}}
spec: {{environments: {{live: {{target: {{server: here}}}}}}}}
"""
WEB = """
apiVersion: reconciler.dev/v1alpha1
kind: Resource
metadata: {{name: web, project: shop}}
spec:
  source: {{kind: local-folder, path: app}}
  command: [{python}, web.py]
  ports: {{http: 8000}}
  health: {{http: {{path: /}}}}
  deploy: {{timeout: 4s, drain: {drain}s, stopTimeout: 2s}}
  variables: {{GREETING: {greeting}, SEEN: {seen}{extra}}}
  domains: {{{domains}}}
"""


class EdgeHouse(House):
    """``http`` is where the edge listens; ``seen`` names each release that a request from outside reached."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.seen = root / "seen"
        self.seen.mkdir()
        (self.source / "app" / "web.py").write_text(PROGRAM)
        self.http = quiet_port()
        first = quiet_port() // 100 * 100
        self.write("base.yaml", BASE.format(first=first, last=first + 99, http=self.http))

    @property
    def edge(self) -> Path:
        return Path(self.state, "servers", "here", "edge")

    def web(self, greeting: str, *, drain: int = 1, domains: str = f"{HOST}: {{}}", extra: str = "") -> None:
        text = WEB.format(
            python=sys.executable,
            greeting=greeting,
            drain=drain,
            seen=getattr(self, "seen", ""),
            domains=domains,
            extra=extra,
        )
        self.write("web.yaml", text)

    def get(self, path: str = "/", host: str = HOST, port: int = 0) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.http, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def answered(self, word: str, path: str = "/", host: str = HOST) -> str:
        """The body, once the edge gives one that begins with ``word``."""

        def said() -> str:
            status, _, body = self.get(path, host)
            return body if status == 200 and body.startswith(word) else ""

        return str(self.until(said))

    def settled(self, greeting: str) -> None:
        """Answers, is Ready, and nothing is left to do: the one before it is stopped."""
        self.answered(greeting)
        self.until(lambda: self.resource()["ready"] == "True" and len(self.programs()) == 1 and self.applied())

    def connected(self, path: str) -> socket.socket:
        """A raw connection to the edge with a request for ``path`` on it."""
        made = socket.create_connection(("127.0.0.1", self.http), timeout=30)
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n" if path == "/ws" else ""
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{upgrade}\r\n".encode())
        return made

    def proxy_pid(self) -> int:
        return int(json.loads((self.edge / "run.json").read_text())["pid"])

"""A directory of manifests, a state directory, and the real daemon in a process of its own between them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.ports import quiet_port

PATIENCE = 60.0
RUN = "import sys, pathlib; from reconciler import bootstrap; sys.exit(bootstrap.run(pathlib.Path(sys.argv[1])))"
ONCE = """
import sys, pathlib
from reconciler import bootstrap
report = bootstrap.run_once(pathlib.Path(sys.argv[1]), timeout=60)
print("\\n".join(report.lines))
sys.exit(0 if report.converged else 2)
"""
PROGRAM = """
import http.server, os, pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(os.environ["DATA"], "mark").write_text("kept")
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{os.environ['GREETING']} {os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): ...
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
BASE = """
apiVersion: reconciler.dev/v1alpha1
kind: Server
metadata: {{name: here}}
spec: {{connection: {{kind: local}}, engine: process, edgeProxy: {{kind: none}}, portRange: "{first}-{last}"}}
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
  variables: {{GREETING: {greeting}}}
  storage: {{/data: {{volume: data, env: DATA}}}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(pid):
    """A zombie is dead, whoever has not waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class House:
    """A directory of manifests, a state directory, and the daemon that comes and goes."""

    def __init__(self, root):
        self.root, self.source, self.state = root, root / "src", root / "state"
        self.settings, self.log = root / "config.yaml", root / "log"
        self.port, self.process = free_port(), None
        (self.source / "app").mkdir(parents=True)
        (self.source / "app" / "web.py").write_text(PROGRAM)
        first = quiet_port() // 50 * 50
        self.write("base.yaml", BASE.format(first=first, last=first + 49))
        self.web("hello")
        self.configure()

    def configure(self, extra=""):
        self.settings.write_text(
            f"instanceId: test\nstateDir: {self.state}\nsource: {{directory: {{path: {self.source}}}, interval: 1s}}\n"
            f'listen: {{status: "127.0.0.1:{self.port}"}}\n{extra}'
        )

    def write(self, name, text):
        """Whole or not at all, as an editor does it."""
        (self.root / "draft").write_text(text)
        (self.root / "draft").replace(self.source / name)

    def web(self, greeting):
        self.write("web.yaml", WEB.format(python=sys.executable, greeting=greeting))

    def command(self, code):
        return [sys.executable, "-c", code, str(self.settings)]

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(RUN), stdout=log, stderr=log, env=os.environ | PATHS)
        return self

    def once(self):
        return subprocess.run(
            self.command(ONCE),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            env=os.environ | PATHS,
            check=False,
        )

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def resource(self):
        return self.ask("api/v1/resources/shop/web?environment=live")

    def until(self, say):
        """Waits until ``say`` gives something true; what cannot be asked yet is not true yet."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            try:
                if found := say():
                    return found
            except (OSError, KeyError, IndexError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def serving(self, greeting):
        """The pid of the program that greets so at the stable address, once it is Ready."""

        def said():
            view = self.resource()
            with urllib.request.urlopen(view["url"] or view["addresses"][0]["url"], timeout=5) as answer:
                word, pid = answer.read().decode().split()
            return int(pid) if word == greeting and view["ready"] == "True" else None

        return self.until(said)

    def programs(self):
        """Pids of what runs on the server, by its records."""
        found = (json.loads(path.read_text()) for path in self.state.glob("servers/*/instances/*/run.json"))
        return {run["pid"] for run in found if alive(run["pid"])}

    def proxies(self):
        """Pids of edge proxies that run, by their records."""
        found = (json.loads(path.read_text()) for path in self.state.glob("servers/*/edge/run.json"))
        return {run["pid"] for run in found if alive(run["pid"])}

    def applied(self):
        source = self.ask("api/v1/sources")["items"][0]["revision"]
        return source["seen"] if source["seen"] and source["seen"] == source["applied"] else None

    def figure(self, name):
        """The sum of one metric over its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def etag(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/drift", timeout=10) as answer:
            return answer.headers["ETag"]

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.programs() | self.proxies():
            os.kill(pid, signal.SIGKILL)


PATHS = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}

"""One open page beside a real daemon, through a rollout, a failure and a rollback by ``git revert``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.runtime.test_daemon_real import House

pytestmark = pytest.mark.real

PROGRAM = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{os.environ['GREETING']} {os.getpid()}".encode()
        self.send_response(int(os.environ["ANSWER"]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): ...
print("I say", os.environ["GREETING"], flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
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
  variables: {{GREETING: {greeting}, ANSWER: "{answer}"}}
  deploy: {{timeout: 3s}}
"""


class Repository(House):
    """A house whose manifests are read from a git repository."""

    def __init__(self, root):
        super().__init__(root)
        (self.source / "app" / "web.py").write_text(PROGRAM)
        self.git("init", "-q", "-b", "main")
        self.release("hello")

    def configure(self, extra=""):
        self.settings.write_text(
            f"instanceId: test\nstateDir: {self.state}\n"
            f"source: {{git: {{repository: {self.source}, branch: main}}, interval: 1s}}\n"
            f'listen: {{status: "127.0.0.1:{self.port}"}}\n{extra}'
        )

    def git(self, *arguments):
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments]
        done = subprocess.run(command, cwd=self.source, capture_output=True, check=True, timeout=60, text=True)
        return done.stdout.strip()

    def release(self, greeting, *, answer=200):
        """Commits another version; gives what a page calls the revision."""
        self.write("web.yaml", WEB.format(python=sys.executable, greeting=greeting, answer=answer))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"Say {greeting}")
        return self.head()

    def revert(self):
        self.git("revert", "--no-edit", "HEAD")
        return self.head()

    def head(self):
        return self.git("rev-parse", "HEAD")[:10]


@pytest.fixture
def house(tmp_path, needs):
    needs("git", get="install git")
    house = Repository(tmp_path)
    yield house
    house.clean()


def test_a_page_follows_a_rollout_a_failure_and_a_revert(house, open_page, shoot):
    """Nobody reloads it: it says what is rolled out, what failed and why, what serves meanwhile, and the end of it."""
    house.start().serving("hello")
    page = open_page(f"http://127.0.0.1:{house.port}/resources/shop/web?environment=live")
    page.evaluate("window.same = true")
    standing, rollout = page.locator(".standing"), page.locator("section", has=page.locator("#rollout")).last
    first = house.resource()["serving"][:10]

    def settled(revision, verdict, health):
        expect(standing).to_contain_text(revision)
        expect(rollout).to_contain_text(verdict)
        expect(page.locator(".title .pill").first).to_have_text(health)

    expect(rollout).to_contain_text("accepted")
    shoot(page, "daemon-1-first")

    revision = house.release("changed")
    settled(revision, "accepted", "healthy")
    expect(page.locator("figure.log").first).to_contain_text("I say changed")
    serving = house.resource()["serving"][:10]
    assert serving != first
    expect(rollout).to_contain_text(f"Serving{serving}")
    shoot(page, "daemon-2-rolled-out")

    revision = house.release("broken", answer=500)
    settled(revision, "failed", "degraded")
    expect(page.locator(".lead")).to_be_visible()
    expect(rollout).to_contain_text(f"Serving{serving}")
    expect(page.locator("section", has=page.locator("#deployments")).last).to_contain_text("failed")
    shoot(page, "daemon-3-failed")

    revision = house.revert()
    settled(revision, "accepted", "healthy")
    expect(page.locator(".lead")).to_have_count(0)
    expect(standing).to_contain_text("applied")
    expect(rollout).to_contain_text(f"Serving{serving}")
    shoot(page, "daemon-4-reverted")
    page.get_by_role("link", name="Overview").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The one resource is well")
    shoot(page, "daemon-5-overview")

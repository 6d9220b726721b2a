"""The quickstart keeps its promises: short, valid, and it does what the README says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
MANIFESTS = sorted((EXAMPLES / "quickstart").glob("*.yaml"))
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def test_all_manifests_together_are_short():
    """A newcomer reads everything in a minute."""
    assert sum(len(path.read_text().splitlines()) for path in MANIFESTS) < 60


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_each_document_begins_with_its_api_version(path):
    """The first line that is no comment is the apiVersion, in every document."""
    documents = path.read_text().split("\n---\n")
    first = [next(line for line in text.splitlines() if line and not line.startswith("#")) for text in documents]
    assert set(first) == {"apiVersion: reconciler.dev/v1alpha1"}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_each_manifest_names_a_schema_that_is_there(path):
    """An editor finds the schema of every manifest."""
    named = re.search(r"\$schema=(\S+)", path.read_text())
    assert named
    assert json.loads((path.parent / named[1]).read_text())


# --- the programs, without the daemon --------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path):
    """Starts the web application; calling it again starts it anew, on the same volume."""
    running: list[subprocess.Popen[bytes]] = []

    def start(greeting: str) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"],
            "GREETING": greeting,
            "RECONCILER_ENVIRONMENT": "test",
            "VISITS_DIR": str(tmp_path),
            "PORT": str(port),
        }
        program = [sys.executable, "-B", str(EXAMPLES / "quickstart" / "app" / "web.py")]
        running.append(subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        url = f"http://127.0.0.1:{port}"
        await_answer(f"{url}/healthz")
        return running[-1], url

    yield start
    for process in running:
        process.kill()
        process.wait()


def get(url: str) -> str:
    with DIRECT.open(url, timeout=10) as answer:
        return str(answer.read(), "utf-8")


def await_answer(url: str) -> None:
    for _ in range(600):
        try:
            get(url)
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} never answered")


@pytest.mark.real
def test_the_web_application_greets_and_counts(web):
    """Only a look at the front page is a visit."""
    process, url = web("Ahoy")
    assert get(url) == f"Ahoy! This is test, visit 1, process {process.pid}.\n"
    assert get(f"{url}/visits") == "1\n"
    assert "visit 2," in get(url)


@pytest.mark.real
def test_visits_outlive_the_web_application(web):
    """The next process counts on from where a killed one stopped."""
    process, url = web("Ahoy")
    get(url)
    process.kill()
    process.wait()
    _, url = web("Ahoy again")
    assert get(url).startswith("Ahoy again! This is test, visit 2,")


@pytest.mark.real
def test_the_web_application_ends_when_asked_to(web):
    """SIGTERM is enough, and is no failure."""
    process, _ = web("Ahoy")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


@pytest.mark.real
def test_unknown_pages_are_not_found(web):
    """A path that nobody wrote a page for is a 404."""
    _, url = web("Ahoy")
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{url}/nowhere")
    refused.value.close()
    assert refused.value.code == 404


# --- the whole of it -------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.timeout(600)  # the first time, it installs
def test_the_quickstart_does_what_it_promises():
    """From nothing to Ready, then every scene of the tutorial; and nothing is left behind."""
    done = subprocess.run([EXAMPLES / "run", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == 6
    assert "nothing is left behind" in done.stdout

"""What the quickstart stands on: a git repository of its own, a daemon that follows it, and questions to both."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

QUICKSTART = Path(__file__).parent / "quickstart"
USUAL = 8080
"""Where the proxy of the quickstart listens, as its manifest says."""
PATIENCE = 60.0  # seconds until a wait is given up: far more than anything here takes
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

SETTINGS = """\
instanceId: quickstart
stateDir: {state}
source:
  git: {{repository: {repository}}}
listen:
  status: 127.0.0.1:{port}
"""

Answer = TypeVar("Answer")


class Failed(Exception):
    """Something did not happen, or not as promised; the message is for the person at the terminal."""


def get(url: str) -> str:
    """The body of one answer; raises OSError while nobody answers."""
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return str(answer.read().decode())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error


def eventually(what: str, ask: Callable[[], Answer | None], *, alive: Callable[[], None] = lambda: None) -> Answer:
    """Asks until there is an answer. While nobody answers at all, that is no answer; ``alive`` may raise in between."""
    deadline = time.monotonic() + PATIENCE
    last = ""
    while time.monotonic() < deadline:
        try:
            if (answer := ask()) is not None:
                return answer
        except OSError as error:
            last = f" ({error})"
        alive()
        time.sleep(0.1)
    raise Failed(f"waited {PATIENCE:.0f} s for {what}, in vain{last}")


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository that says what should be."""

    path: Path

    def prepare(self, port: int = 0) -> None:
        """Made from the quickstart the first time; afterwards it is the person's own. The proxy listens on ``port``,
        or where the manifest says, if nobody else does."""
        if (self.path / ".git").exists():
            return
        shutil.copytree(QUICKSTART, self.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        self.edit("server.yaml", f"127.0.0.1:{USUAL}", f"127.0.0.1:{port or free_port(USUAL)}")
        self.git("init", "--quiet", "--template=", "--initial-branch=main")
        for name, value in (
            ("user.name", "Quickstart"),
            ("user.email", "quickstart@localhost"),
            ("commit.gpgsign", "false"),
        ):
            self.git("config", name, value)
        self.commit("Begin with the quickstart")

    def git(self, *arguments: str) -> str:
        """Runs git in the repository; its complaint becomes ours."""
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Everything as it lies in the work tree; the commit's short id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "--short", "HEAD")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces a text that must be there."""
        text = (self.path / name).read_text()
        if old not in text:
            raise Failed(f"{self.path / name}: {old!r} is not there (any more)")
        (self.path / name).write_text(text.replace(old, new))


@dataclass(slots=True)
class Daemon:
    """The daemon, and its read surface."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def program(self) -> Path:
        """The command line of this very installation."""
        return Path(sys.executable).parent / "reconciler"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.folder / "daemon.log"

    @property
    def settings(self) -> Path:
        """What it reads at its start."""
        return self.folder / "config.yaml"

    def start(self, repository: Path) -> None:
        """In a session of its own, so that Ctrl-C reaches us alone and it is stopped in good order."""
        self.port = free_port()
        self.settings.write_text(SETTINGS.format(state=self.folder / "state", repository=repository, port=self.port))
        self.settings.chmod(0o600)
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "reconciler", "run", "--config", str(self.settings)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)

    def alive(self) -> None:
        """Raises when it has ended by itself."""
        if self.process and self.process.poll() is not None:
            raise Failed(f"the daemon ended with exit code {self.process.returncode}")

    def stop(self) -> int:
        """Asks it to end and waits; what it started goes on."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def ask(self, path: str) -> dict[str, Any]:
        """One answer of the read surface."""
        answer: dict[str, Any] = json.loads(get(f"{self.url}/api/v1/{path}"))
        return answer

    def resources(self) -> list[Resource]:
        """Everything that is declared or still there, with its instances."""
        items = self.ask("resources")["items"]
        return [
            Resource.seen(self.ask(f"resources/{i['project']}/{i['name']}?environment={i['environment']}"))
            for i in items
        ]

    def settled(self) -> list[Resource] | None:
        """Everything, once the daemon has looked at all there is."""
        return self.resources() if self.ask("status")["settled"] else None

    def all_ready(self) -> list[Resource] | None:
        """Everything, once there is something and all of it is Ready."""
        resources = self.resources()
        return resources if resources and all(resource.ready for resource in resources) else None

    def without_proxy(self) -> bool | None:
        """Whether no proxy of ours runs any more."""
        return all(server["edgeProxy"] == "disabled" for server in self.ask("servers")["items"]) or None

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else "(no log)"
        )


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in one environment, as the daemon sees it."""

    environment: str
    name: str
    ready: bool
    reason: str
    message: str
    url: str
    address: str
    pids: tuple[int, ...]
    places: dict[str, Path]

    @classmethod
    def seen(cls, view: dict[str, Any]) -> Resource:
        """From the read surface."""
        return cls(
            environment=view["environment"],
            name=view["name"],
            ready=view["ready"] == "True",
            reason=view["reason"],
            message=view["message"],
            url=view["url"],
            address=next((address["url"] for address in view["addresses"]), ""),
            pids=tuple(instance["pid"] for instance in view["instances"] if instance["pid"]),
            places={mount["path"]: Path(mount["place"]) for mount in view["mounts"]},
        )

    @property
    def title(self) -> str:
        """How people speak of it."""
        return f"{self.environment}/{self.name}"


def free_port(usual: int = 0) -> int:
    """A port that nobody has now: the usual one if it is free, else one from the kernel."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def runs(pid: int) -> bool:
    """Whether a process is there, and is more than the memory of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def end_strays(folder: Path) -> list[int]:
    """The last resort, when asking did not help: ends what still works in a folder, and says which pids those were."""
    strays = [
        int(process.name) for process in Path("/proc").iterdir() if process.name.isdigit() and works_in(process, folder)
    ]
    for pid in strays:
        os.kill(pid, signal.SIGKILL)
    return strays


def works_in(process: Path, folder: Path) -> bool:
    """Whether the working directory of a process, given by its folder in /proc, is in a folder."""
    try:
        return (process / "cwd").readlink().is_relative_to(folder.resolve())
    except OSError:
        return False

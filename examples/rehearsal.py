"""What `examples/run --check` does in a person's place: each scene says what was seen, or raises."""

from __future__ import annotations

import http.client
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.cli.demo.stage import Daemon, Failed, Repository, Resource, eventually, runs

PAGE = re.compile(r"^(?P<greeting>.*)! This is (?P<environment>\w+), visit (?P<number>\d+), process (?P<pid>\d+)\.$")


class Visit(NamedTuple):
    """What a visitor of web reads."""

    greeting: str
    number: int
    pid: int


def rehearse(repository: Repository, daemon: Daemon, seen: set[int]) -> Iterator[str]:
    """Every scene in turn; ``seen`` collects the pids of all that ever ran."""
    scenes: list[Callable[[Repository, Daemon], str]] = [greet, names, change, kill, remove, empty]
    for scene in scenes:
        seen.update(pid for resource in daemon.resources() for pid in resource.pids)
        yield scene(repository, daemon)


def greet(_repository: Repository, daemon: Daemon) -> str:
    """Both environments answer, each with its own greeting."""
    same(visit(daemon, "production").greeting, "Hello")
    same(visit(daemon, "staging").greeting, "Hello from staging")
    return "both environments greet, each in its own words"


def names(_repository: Repository, daemon: Daemon) -> str:
    """The proxy leads requests by name: to the application, to files, and onward."""
    production, staging, docs = (
        resource(daemon, title) for title in ("production/web", "staging/web", "production/docs")
    )
    must("Hello from staging" in ask(staging.url)[1], f"{staging.url} leads elsewhere")
    must("straight from the repository" in ask(docs.url)[1], f"{docs.url} does not show the page")
    status, _, location = ask(production.url.replace("hello.", "www.hello.", 1))
    same((status, location), (308, production.url))
    same(ask(production.url.replace("hello.", "nobody.", 1))[0], 404)
    return f"names lead to both environments, to a static site ({docs.url}), and from www onward"


def change(repository: Repository, daemon: Daemon) -> str:
    """A new value is served soon after its commit; the count goes on, and the other environment is left alone."""
    before, neighbour = visit(daemon, "production"), visit(daemon, "staging")
    repository.edit("project.yaml", "GREETING: Hello\n", "GREETING: Good morning\n")
    repository.commit("Greet politely")
    start = time.monotonic()
    after = await_visit(daemon, "the new greeting", lambda visit: visit.greeting == "Good morning")
    took = time.monotonic() - start
    must(after.number > before.number, f"the visits began anew: {before.number}, then {after.number}")
    must(after.pid != before.pid, f"process {after.pid} greets otherwise than it was started to")
    same(visit(daemon, "staging").pid, neighbour.pid)
    return f"a changed variable was served {took:.1f} s after its commit, and the visits went on counting"


def kill(_repository: Repository, daemon: Daemon) -> str:
    """A killed process is back under another pid."""
    alone = lambda: len(resource(daemon, "production/web").pids) == 1 or None  # noqa: E731
    eventually("the old release to leave", alone, alive=daemon.alive)
    before = visit(daemon, "production")
    os.kill(before.pid, signal.SIGKILL)
    start = time.monotonic()
    after = await_visit(daemon, "the killed process", lambda visit: visit.pid != before.pid)
    took = time.monotonic() - start
    must(after.number > before.number, f"the visits began anew: {before.number}, then {after.number}")
    return f"a killed process was back after {took:.1f} s, as process {after.pid} instead of {before.pid}"


def remove(repository: Repository, daemon: Daemon) -> str:
    """A removed resource goes in every environment; its volume stays, and so does its neighbour."""
    workers = [resource for resource in daemon.resources() if resource.name == "worker"]
    pids = {pid for worker in workers for pid in worker.pids}
    same(len(pids), 2)
    journals = [worker.places["/journal"] / "journal.txt" for worker in workers]
    eventually("the journals", lambda: all(map(Path.exists, journals)) or None)
    neighbour = visit(daemon, "production")
    repository.git("rm", "--quiet", "worker.yaml")
    repository.commit("No worker")
    eventually("the workers to end", lambda: not any(map(runs, pids)) or None, alive=daemon.alive)
    eventually("the workers to be forgotten", lambda: all(r.name != "worker" for r in daemon.resources()) or None)
    must(all(map(Path.exists, journals)), "the data went with the resource")
    same(visit(daemon, "production").pid, neighbour.pid)
    return "a removed manifest ended its processes; their volumes are still there"


def empty(repository: Repository, daemon: Daemon) -> str:
    """An emptied repository removes nothing and says why; the next commit with manifests goes on as before."""
    before = visit(daemon, "production")
    repository.git("rm", "--quiet", "*.yaml")
    repository.commit("Oops")
    gates = eventually("the guard to speak", lambda: daemon.ask("status")["gates"] or None, alive=daemon.alive)
    same(visit(daemon, "production").pid, before.pid)
    repository.git("revert", "--no-edit", "HEAD")
    eventually("the guard to rest", lambda: not daemon.ask("status")["gates"] or None, alive=daemon.alive)
    eventually("everything to be Ready", daemon.all_ready, alive=daemon.alive)
    same(visit(daemon, "production").pid, before.pid)
    return f"an emptied repository removed nothing ({gates[0]['reason']}: {gates[0]['message']})"


# --- looking ---------------------------------------------------------------------------------------------------------


def resource(daemon: Daemon, title: str) -> Resource:
    """One resource in one environment."""
    for found in daemon.resources():
        if found.title == title:
            return found
    raise Failed(f"there is no {title}")


def ask(url: str) -> tuple[int, str, str]:
    """Status, body and Location of one answer. The name goes with the request, so that nobody has to resolve it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("Location", "")
    finally:
        connection.close()


def visit(daemon: Daemon, environment: str) -> Visit:
    """What a visitor reads now."""
    status, page, _ = ask(resource(daemon, f"{environment}/web").url)
    if status >= 500:
        raise ConnectionError(f"{environment}/web answers {status}")
    page = page.strip()
    match = PAGE.match(page)
    if not match or match["environment"] != environment:
        raise Failed(f"{environment}/web answered {page!r}")
    return Visit(match["greeting"], int(match["number"]), int(match["pid"]))


def await_visit(daemon: Daemon, what: str, wanted: Callable[[Visit], bool]) -> Visit:
    """What a visitor of production reads, once it is what is wanted."""

    def ask() -> Visit | None:
        seen = visit(daemon, "production")
        return seen if wanted(seen) else None

    return eventually(what, ask, alive=daemon.alive)


def same(seen: object, wanted: object) -> None:
    """Raises with both sides when they differ."""
    must(seen == wanted, f"expected {wanted!r}, saw {seen!r}")


def must(holds: bool, otherwise: str) -> None:
    """Raises unless it holds."""
    if not holds:
        raise Failed(otherwise)

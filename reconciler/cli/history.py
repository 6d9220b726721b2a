"""logs, events, history, wait: what was printed, what happened, and waiting for what should."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from reconciler.cli.options import Environment, Format, Name, Output, Project

POLL_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    for verb in (logs, events, history, wait):
        app.command()(verb)


def logs(
    name: Name,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as new lines come.")] = False,
    tail: Annotated[int, typer.Option("-n", "--tail", min=0, max=1000, help="How many of the last lines.")] = 100,
    release: Annotated[str, typer.Option("--release", help="Only of the release that begins so.")] = "",
    project: Project = "",
    environment: Environment = "",
) -> None:
    """What a resource's instances print."""
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import path_of, reference, the_resource

    daemon = client()
    _, wanted = reference(name)
    path, query = path_of(the_resource(daemon, wanted, project=project, environment=environment))
    asked = {**query, "tail": tail, "release": release}
    if follow:
        for kind, data in client(timeout=60).stream(f"{path}/logs", {**asked, "follow": "true"}):
            _follow(kind, data)
        return
    said = daemon.get(f"{path}/logs", asked)
    several = len({found["instance"] for found in said["lines"]}) > 1
    for found in said["lines"]:
        out.line(f"{found['instance']}  {found['text']}" if several else found["text"])
    for trouble in said["sourceErrors"]:
        _complain(trouble)
    if said["sourceErrors"]:
        raise typer.Exit(1)


def _follow(kind: str, data: dict[str, Any]) -> None:
    from reconciler.cli import output as out

    if kind == "event":
        out.line(f"{data['instance']}  {data['text']}")
    elif kind == "error":
        _complain(f"{data.get('instance', '')}: {data.get('text', '')}")


def _complain(text: str) -> None:
    from reconciler.cli.text import safe

    typer.echo(f"reconciler: {safe(text)}", err=True)


def events(
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as things happen.")] = False,
    number: Annotated[int, typer.Option("-n", "--number", min=1, max=5000, help="How many of the newest.")] = 30,
    type: Annotated[str, typer.Option("--type", help="Only of this type.")] = "",
    project: Project = "",
    environment: Environment = "",
    output: Format = Output.TABLE,
) -> None:
    """What happened, newest last."""
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import scope

    query = {**scope(project, environment), "type": type}
    found = client().items("events", query, most=number)[::-1]
    out.items(found, columns.EVENTS, output=output, name=lambda i: columns.name("events", i), nothing="nothing yet")
    if follow:
        for kind, data in client(timeout=60).stream("events", query):
            if kind == "event":
                where = data["resource"].partition("/")[2] or data["unit"]
                out.line(f"{_at(data)}  {data['type']}  {where}  {data['message']}")
            elif kind == "gap":
                out.line("… some were missed: reconciler events shows them")


def _at(data: dict[str, Any]) -> str:
    from reconciler.cli.text import clock

    return clock(data["at"])


def history(
    name: Annotated[str, typer.Argument(help="Only of this resource.")] = "",
    since: Annotated[str, typer.Option("--since", help="Only what began in this time, such as 3h.")] = "",
    project: Project = "",
    environment: Environment = "",
    output: Format = Output.TABLE,
) -> None:
    """Rollouts, newest first."""
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import reference, scope

    daemon = client()
    _, path = reference(name)
    query = {**scope(project, environment), "resource": path.rpartition("/")[2]}
    now = daemon.get("deployments", {**query, "limit": 1})["generatedAt"]
    found = daemon.items("deployments", query, most=500)
    if since:
        found = [item for item in found if _young(item, since, now)]
    out.items(
        found,
        columns.of("deployments", now=now),
        output=output,
        name=lambda i: columns.name("deployments", i),
        nothing="no rollouts" + (f" in the last {since}" if since else " yet"),
    )


def _young(item: dict[str, Any], since: str, now: str) -> bool:
    from reconciler.cli.text import moment, seconds

    started, here = moment(item["startedAt"]), moment(now)
    return started is not None and here is not None and (here - started).total_seconds() <= seconds(since)


# --- wait -------------------------------------------------------------------------------------------------------------


def wait(
    name: Name,
    revision: Annotated[str, typer.Option("--revision", help="Until this commit (or its beginning) is live.")] = "",
    timeout: Annotated[str, typer.Option("--timeout", help="Give up after this long.")] = "5m",
    project: Project = "",
    environment: Environment = "",
) -> None:
    """Waits until a resource is ready. Exits 2 when the time is over, 1 as soon as its rollout has failed."""
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import in_full, reference
    from reconciler.cli.text import seconds

    daemon, (_, path) = client(), reference(name)
    end = time.monotonic() + seconds(timeout)
    while True:
        view = in_full(daemon, path, project=project, environment=environment)
        verdict = judged(view, revision)
        if verdict is not None:
            out.line(f"{view['id']} {verdict[1]}")
            if verdict[0]:
                out.line(f"  → reconciler why {view['kind']}/{view['id']}")
            raise typer.Exit(verdict[0])
        if time.monotonic() >= end:
            _complain(f"{view['id']} is not ready after {timeout}: {_standing(view)}")
            typer.echo(f"  → reconciler why {view['kind']}/{view['id']}", err=True)
            raise typer.Exit(2)
        time.sleep(min(POLL_SECONDS, max(0.0, end - time.monotonic())))


def judged(view: dict[str, Any], revision: str) -> tuple[int, str] | None:
    """Exit code and words once it is decided; None while it can still become ready."""
    from reconciler.cli.text import short

    spoken = next((c["revision"] for c in view["conditions"] if c["type"] == "Ready"), "")
    here = not revision or revision in {"", spoken} or spoken.startswith(revision) or _applied(view, revision)
    if here and view["ready"] == "True":
        return 0, f"is ready at {short(spoken or view['revision']['applied']) or 'its revision'}"
    if here and view["rollout"]["failed"] and view["rollout"]["generation"] == view["rollout"]["wanted"]:
        return 1, f"failed: {view['rollout']['message'] or view['message']}"
    return None


def _applied(view: dict[str, Any], revision: str) -> bool:
    return bool(view["revision"]["applied"].startswith(revision))


def _standing(view: dict[str, Any]) -> str:
    from reconciler.cli.columns import said

    return said(view) or f"{view['health']}, {view['lifecycle']}, revision {view['revision']['seen'][:10]} is seen"

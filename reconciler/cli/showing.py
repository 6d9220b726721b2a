"""status and get: what there is, worst first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reconciler.cli.options import Environment, Format, Output, Project


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(get)


def status(project: Project = "", environment: Environment = "", output: Format = Output.TABLE) -> None:
    """Everything on one screen, worst first."""
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import scope

    said = client().get("status", scope(project, environment))
    if output in {Output.JSON, Output.YAML}:
        out.document(said, output=output)
        return
    if output is not Output.NAME:
        _headline(said)
    found, now = columns.worst_first(said["resources"]), said["generatedAt"]
    out.items(
        found,
        columns.of("resources", now=now),
        output=output,
        name=lambda i: columns.name("resources", i),
        nothing="nothing is declared yet",
    )
    if output is not Output.NAME:
        _attention(said)


def _headline(said: dict[str, Any]) -> None:
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.text import age, short

    counted = columns.counts(said) + columns.not_ready(said["resources"])
    out.line(counted or "no resources", style=out.STYLES.get(said["health"], ""))
    for source in said["sources"]:
        revision = source["revision"]
        applied = (
            "applied" if revision["applied"] == revision["seen"] else f"applied {short(revision['applied']) or '-'}"
        )
        subject = f" “{source['subject']}” by {source['author']}" if source["subject"] else ""
        out.line(f"{source['name']} at {short(revision['seen']) or '-'}{subject}, {applied}")
        if source["error"]:
            out.line(f"  {source['error']}", style="bold red")
        when = age(source["checkedAt"], said["generatedAt"])
        problems = len(source["problems"])
        if problems:
            out.line(f"  {problems} written wrong (checked {when} ago): reconciler doctor", style="yellow")
    if not said["settled"]:
        out.line("starting: not every unit has been looked at yet", style="yellow")
    out.line()


def _attention(said: dict[str, Any]) -> None:
    """What the table of resources does not say."""
    from reconciler.cli import output as out

    lines = [
        f"{server['name']} is {server['connectivity']}: {server['message'] or 'cannot be read whole'}"
        for server in said["servers"]
        if server["connectivity"] != "healthy"
    ]
    lines += [f"held: {held}" for held in said["holds"]]
    lines += [
        f"needs an Approval ({gate['reason']}, {gate['count']} in {gate['unit']}): {gate['message']}; reconciler plan"
        for gate in said["gates"]
    ]
    if said["pendingActions"]:
        lines.append(f"{said['pendingActions']} actions to do: reconciler plan")
    if lines:
        out.line()
    for text in lines:
        out.line(text)


def get(
    kind: Annotated[str, typer.Argument(help="projects, environments, resources, servers, deployments, …")],
    name: Annotated[str, typer.Argument(help="One of them.")] = "",
    project: Project = "",
    environment: Environment = "",
    output: Format = Output.TABLE,
) -> None:
    """A list of one kind, or one of it."""
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import plural

    daemon, listed = client(), plural(kind)
    found = daemon.items(listed, _accepted(listed, project, environment))
    if name:
        found = _named(listed, found, name)
    if name and len(found) == 1 and output in {Output.JSON, Output.YAML}:
        out.document(_whole(daemon, listed, found[0]), output=output)
        return
    now = daemon.get("sources", {"limit": 1})["generatedAt"]
    ordered = columns.worst_first(found)
    nothing = f"no {listed} here"
    out.items(
        ordered, columns.of(listed, now=now), output=output, name=lambda i: columns.name(listed, i), nothing=nothing
    )


def _accepted(listed: str, project: str, environment: str) -> dict[str, str]:
    """The filters that a list has; the others do not apply to its kind."""
    if listed in {"resources", "deployments", "events", "drift", "domains", "certificates"}:
        return {"project": project, "environment": environment}
    return {"project": project} if listed == "environments" else {}


def _named(listed: str, found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    from reconciler.cli import columns
    from reconciler.errors import InvalidInput

    meant = [item for item in found if name in _names(columns.name(listed, item), item)]
    if not meant:
        raise InvalidInput(f"there is no {name!r} among the {listed}: reconciler get {listed} -o name lists them")
    return meant


def _names(own: str, item: dict[str, Any]) -> set[str]:
    parts = own.split("/")
    tails = {"/".join(parts[start:]) for start in range(len(parts))}
    return tails | {str(item.get("name", "")), f"{item.get('project', '')}/{item.get('name', '')}"}


def _whole(daemon: Any, listed: str, item: dict[str, Any]) -> dict[str, Any]:
    """One item in full, where it has more to say than its line."""
    from reconciler.cli.client import segment
    from reconciler.cli.names import path_of

    if listed == "resources":
        path, query = path_of(item)
        found: dict[str, Any] = daemon.get(path, query)
        return found
    paths = {
        "projects": lambda: f"projects/{segment(item['name'])}",
        "environments": lambda: f"environments/{segment(item['project'])}/{segment(item['name'])}",
        "servers": lambda: f"servers/{segment(item['name'])}",
        "deployments": lambda: f"deployments/{segment(item['id'])}",
    }
    whole: dict[str, Any] = daemon.get(paths[listed]()) if listed in paths else item
    return whole

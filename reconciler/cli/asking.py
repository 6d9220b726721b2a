"""describe and why: one thing in full, and why it is not as it should be."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reconciler.cli.options import Environment, Format, Name, Output, Project

Lines = list[str]


def register(app: typer.Typer) -> None:
    app.command()(describe)
    app.command()(why)


def describe(name: Name, project: Project = "", environment: Environment = "", output: Format = Output.TABLE) -> None:
    """Everything about one resource: what it is, what runs, where its variables come from."""
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import in_full, reference

    _, path = reference(name)
    view = in_full(client(), path, project=project, environment=environment)
    if output in {Output.JSON, Output.YAML}:
        out.document(view, output=output)
    elif output is Output.NAME:
        out.line(view["id"])
    else:
        _describe(view)


def _describe(view: dict[str, Any]) -> None:
    from reconciler.cli import output as out
    from reconciler.cli.columns import replicas, said
    from reconciler.cli.text import age, short

    now, rollout, revision = view["generatedAt"], view["rollout"], view["revision"]
    out.facts(
        [
            (view["kind"], view["id"]),
            ("manifest", view["manifest"]),
            ("target", view["target"]),
            ("wanted", view["desiredState"] + (f" (held: {view['hold']})" if view["hold"] else "")),
            ("health", f"{view['health']}, {view['lifecycle']}, {replicas(view)} ready"),
            ("why", said(view)),
            (
                "observed",
                f"{age(view['observedAt'], now)} ago ({view['freshness']})" if view["observedAt"] else "never",
            ),
            ("revision", f"seen {short(revision['seen'])}, applied {short(revision['applied'])}"),
            ("rollout", _rollout(rollout, now)),
            ("health check", view["probe"]),
            ("command", " ".join(view["command"])),
            ("depends on", ", ".join(view["dependsOn"])),
            ("urls", "\n".join(view["urls"])),
        ]
    )
    for title, lines in (
        ("instances", _instances(view, now)),
        ("variables", _variables(view)),
        ("mounts", [f"{m['path']}  {m['volume']} ({m['mode']})  {m['place']}".rstrip() for m in view["mounts"]]),
        ("conditions", _conditions(view, now)),
        ("why not", reasons(view)),
    ):
        _section(title, lines)


def _section(title: str, lines: Lines) -> None:
    from reconciler.cli import output as out

    if lines:
        out.line(f"\n{title}", style="bold")
        for text in lines:
            out.line(f"  {text}")


def _rollout(rollout: dict[str, Any], now: str) -> str:
    from reconciler.cli.text import age, short

    if not rollout["generation"]:
        return ""
    state = "failed" if rollout["failed"] else "accepted" if rollout["accepted"] else "going on"
    why = f", {rollout['strategy']}" + (f" ({rollout['why']})" if rollout["why"] else "")
    message = f"\n{rollout['message']}" if rollout["message"] else ""
    return f"{short(rollout['generation'])} {state} since {age(rollout['since'], now)}{why}{message}"


def _instances(view: dict[str, Any], now: str) -> Lines:
    from reconciler.cli.text import age

    return [
        f"{i['name']}  {i['state']}/{i['health']}  {age(i['since'], now)}"
        + (f"  pid {i['pid']}" if i["pid"] and i["state"] == "running" else "")
        + "".join(f"  {port}:{number}" for port, number in i["ports"].items())
        + (f"  {i['exits']} exits" if i["exits"] else "")
        + "".join(f"\n    {text}" for text in (i["detail"], i["note"]) if text)
        for i in view["instances"]
    ]


def _variables(view: dict[str, Any]) -> Lines:
    return [
        f"{v['name']}={v['value']}" + (f"  ({v['level']}, {v['manifest']})" if v["level"] else "")
        for v in view["variables"]
    ]


def _conditions(view: dict[str, Any], now: str) -> Lines:
    from reconciler.cli.text import age

    return [
        f"{c['type']}={c['status']}  {c['reason']}  {age(c['since'], now)}"
        + (f"  {c['message']}" if c["message"] else "")
        for c in view["conditions"]
    ]


# --- why --------------------------------------------------------------------------------------------------------------


def why(
    name: Annotated[str, typer.Argument(help="KIND/NAME, such as Resource/web.")],
    project: Project = "",
    environment: Environment = "",
    output: Format = Output.TABLE,
) -> None:
    """Why it is not as it should be, and what to do about it."""
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import in_full, reference
    from reconciler.errors import InvalidInput

    listed, path = reference(name)
    if listed != "resources":
        raise InvalidInput(f"why answers for resources; for {listed}: reconciler get {listed} -o yaml")
    view = in_full(client(), path, project=project, environment=environment)
    if output in {Output.JSON, Output.YAML}:
        kept = ("id", "health", "ready", "reason", "message", "blocks", "waits", "gates", "held", "drift", "rollout")
        out.document({field: view[field] for field in kept}, output=output)
        return
    found = reasons(view)
    out.line(f"{view['id']} is {view['health']} ({view['lifecycle']})")
    for text in found or ["nothing stands against it: it is as declared"]:
        out.line(f"  {text}")


def reasons(view: dict[str, Any]) -> Lines:
    """Every answer there is, the most telling first; each with what to do, where that is known."""
    from reconciler.cli.text import short

    rollout = view["rollout"]
    found = [f"{b['reason']}: {b['message']}" + _at(b["manifest"], b["message"]) for b in view["blocks"]]
    if rollout["failed"]:
        found.append(
            f"the rollout of {short(rollout['generation'])} failed: {rollout['message']}{_at(view['manifest'])}"
        )
    found += [
        f"{c['type']}={c['status']}: {c['reason']}: {c['message']}"
        for c in view["conditions"]
        if c["status"] != ("False" if c["type"] in {"Reconciling", "Stalled"} else "True") and c["message"]
    ]
    found += [f"{i['name']}: {i['detail']}" for i in view["instances"] if i["detail"] and i["health"] != "healthy"]
    found += [f"held ({view['hold']}): planned and shown, not applied"] if view["hold"] else []
    found += [f"waits for {w['message']}" for w in view["waits"]]
    found += [_difference(d) for d in view["drift"]]
    found += [f"needs an Approval; commit this if it is meant:\n{_indented(g['fix'])}" for g in view["gates"]]
    return list(dict.fromkeys(found))


def _difference(drift: dict[str, Any]) -> str:
    ignore = f"; to leave it as it is: {drift['ignore']}" if drift["ignore"] else ""
    return f"{drift['field']}: wanted {drift['wanted']}, is {drift['live']}{_at(drift['manifest'])}{ignore}"


def _at(place: str, said: str = "") -> str:
    return f" ({place})" if place and place not in said else ""


def _indented(text: str) -> str:
    return "\n".join(f"      {one}" for one in text.rstrip().split("\n"))

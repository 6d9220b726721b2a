"""describe and why: one thing in full, and why it is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
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
            ("serving", _serving(view)),
            ("revision", f"seen {short(revision['seen']) or '-'}, applied {short(revision['applied']) or '-'}"),
            ("rollout", _rollout(rollout, now)),
            ("health check", view["probe"]),
            ("command", " ".join(view["command"])),
            ("depends on", ", ".join(view["dependsOn"])),
            ("urls", "\n".join(view["urls"])),
        ]
    )
    standing = reasons(view)
    for title, lines in (
        ("instances", _instances(view, now)),
        ("variables", _variables(view)),
        ("mounts", [f"{m['path']}  {m['volume']} ({m['mode']})  {m['place']}".rstrip() for m in view["mounts"]]),
        ("conditions", _conditions(view, now)),
        ("why not", [*standing, *next_steps(view)] if standing else []),
    ):
        _section(title, lines)


def _section(title: str, lines: Lines) -> None:
    from reconciler.cli import output as out

    if lines:
        out.line(f"\n{title}", style="bold")
        for text in lines:
            out.line(f"  {indented(text)}")


def indented(text: str) -> str:
    """Lines after the first stay below it: a program's last words have several."""
    return text.replace("\n", "\n      ")


def _serving(view: dict[str, Any]) -> str:
    from reconciler.cli.text import short

    if view["serving"]:
        return short(view["serving"])
    return "nothing" if view["desiredState"] == "running" and view["rollout"]["generation"] else ""


def _rollout(rollout: dict[str, Any], now: str) -> str:
    from reconciler.cli.text import age, short

    if not rollout["generation"]:
        return ""
    state = "failed" if rollout["failed"] else "accepted" if rollout["accepted"] else "going on"
    why = f", {rollout['strategy']}" if rollout["strategy"] else ""
    why += f" ({rollout['why']})" if rollout["why"] else ""
    message = f"\n{rollout['message']}" if rollout["message"] else ""
    return f"{short(rollout['generation'])} {state} since {age(rollout['since'], now)}{why}{message}"


def _instances(view: dict[str, Any], now: str) -> Lines:
    from reconciler.cli.text import age

    return [
        f"{i['name']}  {i['state']}/{i['health']}  {age(i['since'], now)}"
        + (f"  pid {i['pid']}" if i["pid"] and i["state"] == "running" else "")
        + "".join(f"  {port}:{number}" for port, number in i["ports"].items())
        + (f"  {i['exits']} exits" if i["exits"] else "")
        + "".join(f"\n{text}" for text in (i["detail"], i["note"]) if text)
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
    for text in [*found, *next_steps(view)] if found else ["nothing stands against it: it is as declared"]:
        out.line(f"  {indented(text)}")


def reasons(view: dict[str, Any]) -> Lines:
    """Every answer there is, the most telling first; what was said is not said again in other words."""
    from reconciler.cli.text import brief

    found: dict[str, str] = {}  # what is said of it -> the line
    for said, text in _answers(view):
        if not any(said in known for known in found):
            found[said] = brief(text, view)
    return list(found.values())


def _answers(view: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of what is said, for comparison, and the line that says it."""
    for block in view["blocks"]:
        yield block["message"], f"{block['reason']}: {block['message']}{_at(block['manifest'], block['message'])}"
    rollout = view["rollout"]
    if rollout["failed"]:
        yield rollout["message"], f"the rollout failed: {rollout['message']}{_at(view['manifest'])}"
    yield from _of_conditions(view)
    for instance in view["instances"]:
        if instance["detail"] and instance["health"] != "healthy":
            yield instance["detail"], f"{instance['name']}: {instance['detail']}"
    if view["hold"]:
        yield view["hold"], f"held ({view['hold']}): planned and shown, not applied"
    for wait in view["waits"]:
        yield wait["message"], f"waits for {wait['message']}"
    for drift in view["drift"]:
        yield _difference(drift), _difference(drift)
    for gate in view["gates"]:
        yield gate["digest"] + gate["fix"], f"needs an Approval; commit this if it is meant:\n{gate['fix'].rstrip()}"


def _of_conditions(view: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The ones that are not as they should be; what is waited for is told by the waits. Of a document that cannot be
    read the blocks say more than the conditions."""
    reasons_of_blocks = {block["reason"] for block in view["blocks"]}
    for said in view["conditions"]:
        good = "False" if said["type"] in {"Reconciling", "Stalled"} else "True"
        told = said["reason"] in reasons_of_blocks or (said["reason"] == "Waiting" and view["waits"])
        if said["status"] != good and said["message"] and not told:
            yield said["message"], f"{said['reason']}: {said['message']}"


def next_steps(view: dict[str, Any]) -> Lines:
    """What serves meanwhile, and commands that can be pasted."""
    from reconciler.cli.text import short

    lines = []
    if view["rollout"]["failed"]:
        serving = short(view["serving"]) if view["serving"] else "nothing"
        lines.append(f"meanwhile {serving} serves")
    sick = [i for i in view["instances"] if i["state"] in {"running", "exited"} and i["health"] != "healthy"]
    if sick:
        lines.append(f"→ reconciler logs {view['id']} --release {sick[0]['release'][:10]}")
    if view["hold"] == "held":
        lines.append(f"→ reconciler release {view['kind']}/{view['id']}")
    return lines


def _difference(drift: dict[str, Any]) -> str:
    ignore = f"; to leave it as it is: {drift['ignore']}" if drift["ignore"] else ""
    return f"{drift['field']}: wanted {drift['wanted']}, is {drift['live']}{_at(drift['manifest'])}{ignore}"


def _at(place: str, said: str = "") -> str:
    return f" ({place})" if place and place not in said else ""

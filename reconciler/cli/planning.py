"""validate, plan, diff, schema: before anything changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.cli.options import Environment, Format, Output, Project

SIGNS = {
    "create": "+",
    "start": "+",
    "create-volume": "+",
    "reserve-address": "+",
    "create-job": "+",
    "put-route": "+",
    "export-tree": "+",
    "record-verdict": "~",
    "clear-verdict": "~",
    "update": "~",
    "start-job": "~",
}


def register(app: typer.Typer) -> None:
    for verb in (validate, plan, diff, schema):
        app.command()(verb)


def validate(path: Annotated[Path, typer.Argument(help="A directory with manifests, or one file.")]) -> None:
    """Every problem at once, as file:line:column. Needs no daemon, and changes nothing."""
    from reconciler.cli import output as out
    from reconciler.cli.validation import judge

    judged = judge(path)
    for problem in judged.problems:
        out.line(problem)
    for ignored in judged.ignored:
        typer.echo(f"ignored: {ignored}", err=True)
    typer.echo(judged.summary, err=True)
    raise typer.Exit(1 if judged.problems else 0)


def plan(
    *,
    local: Annotated[
        bool, typer.Option("--local", help="Plan here, without a daemon; looks, and writes nothing.")
    ] = False,
    config: Annotated[Path, typer.Option("--config", help="The settings, for --local.")] = Path(
        "/etc/reconciler/config.yaml"
    ),
    project: Project = "",
    environment: Environment = "",
    output: Format = Output.TABLE,
) -> None:
    """What would be done, what is waited for, what is blocked, and Approvals to commit. Exits 2 when there is any."""
    from reconciler.cli import output as out

    if local:
        raise typer.Exit(2 if _local(config, output) else 0)
    said = _asked(project, environment)
    if output in {Output.JSON, Output.YAML}:
        out.document(said, output=output)
    else:
        _show(said)
    raise typer.Exit(2 if said["changes"] else 0)


def _asked(project: str, environment: str) -> dict[str, Any]:
    from reconciler.cli.client import client
    from reconciler.cli.names import scope

    said: dict[str, Any] = client().get("plan", scope(project, environment))
    return said


def _local(config: Path, output: Output) -> bool:
    """Prints the whole way from here; whether there is anything on it."""
    from reconciler.bootstrap import plan_local
    from reconciler.cli import output as out
    from reconciler.cli.text import safe
    from reconciler.plan.render import as_json, as_text

    outlook = plan_local(config)
    for target, why in sorted(outlook.unseen.items()):
        typer.echo(f"{target} could not be looked at: {safe(why)}", err=True)
    for problem in (*outlook.desired.problems, *(block.problem for block in outlook.desired.blocks)):
        typer.echo(safe(problem), err=True)
    if output in {Output.JSON, Output.YAML}:
        out.document(as_json(outlook.way), output=output)
    else:
        out.line(as_text(outlook.way).rstrip())
    return outlook.way.changes or bool(outlook.way.gates)


def _show(said: dict[str, Any]) -> None:
    from reconciler.cli import output as out
    from reconciler.cli.asking import indented

    if said["way"]:
        out.line("the whole way, should everything go well", style="bold")
    for text in _way(said["way"]):
        out.line(f"  {indented(text)}")
    for trouble in said["sourceErrors"]:
        out.line(trouble, style="yellow")
    for unit in said["units"]:
        now = [] if said["way"] else [_step(action) for action in unit["actions"]]
        lines = [*now, *_rest(unit)]
        if lines:
            out.line(unit["unit"], style="bold")
            for text in lines:
                out.line(f"  {indented(text)}")
            out.line()
    for text in _gates(said):
        out.line(text)
    done = ", ".join(f"{number} {verb}" for verb, number in said["counts"].items())
    out.line(f"now: {done}" if done else "now: nothing to do")


def _way(steps: list[dict[str, Any]]) -> list[str]:
    """Every step in its order, with what is waited for in between."""
    from reconciler.cli.text import duration

    lines: list[str] = []
    for step in steps:
        lines += [f"… {what}" for what in step["waited"]]
        lines.append(f"{duration(step['after']):>4} {_step(step['action'])}")
    return lines


def _step(action: dict[str, Any]) -> str:
    sign = SIGNS.get(action["verb"], "-")
    return f"{sign} {action['verb']} {action['name']}" + (f"  ({action['cause']})" if action["cause"] else "")


def _rest(unit: dict[str, Any]) -> list[str]:
    held = [f"{_step(h['action'])}  held: {h['reason']}" for h in unit["held"]]
    waits = [f"… {w['resource'].partition('/')[2]} waits for {w['message']}" for w in unit["waits"]]
    blocks = [f"! {b['resource'].partition('/')[2]} {b['reason']}: {b['message']}" for b in unit["blocks"]]
    return [*held, *waits, *blocks]


def _gates(said: dict[str, Any]) -> list[str]:
    """Each gate once, with the Approval that opens it."""
    gates = {gate["digest"]: gate for unit in said["units"] for gate in unit["gates"]}
    lines: list[str] = []
    for gate in gates.values():
        lines += [f"{gate['message']} ({gate['reason']}, {gate['count']}):"]
        lines += [f"  {identity}" for identity in gate["identities"]]
        lines += ["to let exactly that through, commit:", *(f"  {text}" for text in gate["fix"].splitlines()), ""]
    return lines


def diff(project: Project = "", environment: Environment = "", output: Format = Output.TABLE) -> None:
    """Fields that differ now from what is declared. Exits 2 when there are any."""
    from reconciler.cli import columns
    from reconciler.cli import output as out
    from reconciler.cli.client import client
    from reconciler.cli.names import scope

    found = client().items("drift", scope(project, environment))
    out.items(
        found,
        columns.DRIFT,
        output=output,
        name=lambda i: columns.name("drift", i),
        nothing="nothing differs from what is declared",
    )
    raise typer.Exit(2 if found else 0)


def schema(
    kind: Annotated[str, typer.Argument(help="A kind, such as Resource; all of them when left out.")] = "",
) -> None:
    """The JSON Schema of a kind, for editors."""
    from reconciler.errors import InvalidInput
    from reconciler.manifests.schema import generate

    known = generate()
    name = f"{(kind or 'all').lower()}.json"
    if name not in known:
        kinds = ", ".join(sorted(found.removesuffix(".json") for found in known))
        raise InvalidInput(f"there is no kind {kind!r}; known: {kinds}")
    typer.echo(known[name], nl=False)

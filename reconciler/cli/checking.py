"""doctor and version."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reconciler.cli.options import Format, Output


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(version)


def doctor(
    all_checks: Annotated[bool, typer.Option("-a", "--all", help="Also what passed.")] = False,
    output: Format = Output.TABLE,
) -> None:
    """What is wrong or will be, with a remedy each. Exits 1 when there is an error, 0 with warnings."""
    from reconciler.cli import output as out
    from reconciler.cli.client import client

    said = client().get("doctor")
    if output in {Output.JSON, Output.YAML}:
        out.document(said, output=output)
    else:
        for check in said["checks"]:
            if all_checks or check["status"] == "failed":
                _show(check)
        passed = sum(check["status"] == "passed" for check in said["checks"])
        skipped = sum(check["status"] == "skipped" for check in said["checks"])
        out.line(f"{said['errors']} errors, {said['warnings']} warnings, {passed} passed, {skipped} skipped")
    raise typer.Exit(1 if said["errors"] else 0)


def _show(check: dict[str, Any]) -> None:
    from reconciler.cli import output as out

    word = check["severity"] if check["status"] == "failed" else check["status"]
    out.line(f"{word}: {check['name']}: {check['subject']}", style=out.STYLES.get(word, ""))
    out.line(f"  {check['message']}")
    if check["remedy"]:
        out.line(f"  → {check['remedy']}")


def version() -> None:
    """The version of this program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        typer.echo(version("reconciler"))
    except PackageNotFoundError:
        typer.echo("unknown: not installed as a package")

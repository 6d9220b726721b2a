"""run: the daemon itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    config: Annotated[Path, typer.Option("--config", help="The settings file.")] = Path("/etc/reconciler/config.yaml"),
    once: Annotated[bool, typer.Option("--once", help="Converge once, without listening, and end.")] = False,
    timeout: Annotated[str, typer.Option("--timeout", help="With --once: give up after this long.")] = "5m",
) -> None:
    """Follows git and keeps the servers that way, until SIGTERM. With --once exits 2 when not all is as declared."""
    from reconciler import bootstrap
    from reconciler.cli.text import safe, seconds

    if not once:
        raise typer.Exit(bootstrap.run(config))
    report = bootstrap.run_once(config, timeout=seconds(timeout))
    for text in report.lines:
        typer.echo(safe(text))
    typer.echo("everything is as declared" if report.converged else "not everything is as declared", err=True)
    raise typer.Exit(0 if report.converged else 2)

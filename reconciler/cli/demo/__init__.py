"""demo: the quickstart on this machine, from a commit to running processes. Nothing but Python and git is needed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    state: Annotated[Path | None, typer.Option("--state", help="Keep it in this folder, and go on there.")] = None,
    clean: Annotated[bool, typer.Option("--clean", help="With --state: end the programs, remove the folder.")] = False,
) -> None:
    """Runs a small project in two environments until Ctrl-C. Without --state nothing is left behind."""
    from reconciler.cli.demo import acts
    from reconciler.errors import InvalidInput

    if clean and state is None:
        raise InvalidInput("--clean: of which folder? name it with --state DIR")
    if state is None:
        folder = Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
        raise typer.Exit(acts.visit(acts.Demo(folder, command="reconciler demo")))
    kept = acts.Demo(state.resolve(), command=f"reconciler demo --state {state}")
    raise typer.Exit(acts.clean(kept) if clean else acts.stay(kept))

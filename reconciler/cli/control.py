"""hold, release, reconcile-now: over the daemon's local socket, for its owner only. Shown, and on record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Subject = Annotated[
    str, typer.Argument(help="A unit (vps1/shop/production) or a resource (Resource/shop/production/web).")
]
Config = Annotated[Path, typer.Option("--config", help="The daemon's settings: they say where its socket is.")]
DEFAULT_CONFIG = Path("/etc/reconciler/config.yaml")


def register(app: typer.Typer) -> None:
    app.command()(hold)
    app.command()(release)
    app.command("reconcile-now")(reconcile_now)


def hold(subject: Subject, config: Config = DEFAULT_CONFIG) -> None:
    """Plans and shows what would be done, and does nothing of it, until released."""
    _ask("hold", subject, config)


def release(subject: Subject, config: Config = DEFAULT_CONFIG) -> None:
    """Ends a hold."""
    _ask("release", subject, config)


def reconcile_now(
    subject: Annotated[str, typer.Argument(help="A unit or a resource; everything when left out.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Looks again at once, whatever backoff there is."""
    _ask("reconcile-now", subject, config)


def _ask(verb: str, subject: str, config: Path) -> None:
    from reconciler.bootstrap import control_path
    from reconciler.cli import output as out
    from reconciler.runtime.control import ask
    from reconciler.settings import load

    answer = ask(control_path(load(config)), verb, subject)
    for found in answer.get("subjects") or ["everything"]:
        out.line(f"{verb}: {found}")

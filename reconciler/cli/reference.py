"""The reference of all verbs, made from their own help; committed, and checked to be current.

``python -m reconciler.cli.reference --check`` says whether the file is what the code says; ``--write`` makes it so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import typer
from typer.main import get_command

from reconciler.cli.app import app

FILE = "reference.txt"
WIDTH = 100


def text() -> str:
    """The help of the program, then of every verb by name."""
    command = get_command(app)
    parent = typer.Context(command, info_name="reconciler", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = [command.get_help(parent)]
    verbs = getattr(command, "commands", {})
    for name in sorted(verbs):
        context = typer.Context(verbs[name], info_name=name, parent=parent)
        parts.append(verbs[name].get_help(context))
    return "\n\n---\n\n".join(part.rstrip() for part in parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reconciler.cli.reference", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit 1 when the committed file is not current")
    mode.add_argument("--write", action="store_true", help="write the file")
    path = Path(__file__).with_name(FILE)
    if parser.parse_args(arguments).write:
        path.write_text(text(), encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{path.name} is not current: run python -m reconciler.cli.reference --write\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

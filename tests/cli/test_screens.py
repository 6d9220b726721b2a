"""What people see, at 100 columns: kept as files beside this one. Run with WRITE_SCREENS=1 to renew them, then read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.api import shop
from tests.cli.conftest import Typed

SCREENS = Path(__file__).with_name("screens")

COMMANDS = {
    "status": (0, "status"),
    "status-staging": (0, "status -e staging"),
    "resources": (0, "get resources"),
    "resources-wide": (0, "get resources -o wide"),
    "projects": (0, "get projects"),
    "environments": (0, "get env"),
    "servers": (0, "get servers"),
    "sources": (0, "get sources"),
    "work": (0, "get work"),
    "deployments": (0, "get deployments"),
    "describe": (0, "describe web -e production"),
    "describe-blocked": (0, "describe beat"),
    "why-failed": (0, "why Resource/worker"),
    "why-removed": (0, "why old"),
    "plan": (2, "plan"),
    "diff": (2, "diff"),
    "events": (0, "events -n 4"),
    "history": (0, "history"),
    "logs": (0, "logs web -e production -n 2"),
    "doctor": (1, "doctor"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_screen(asked: Typed, name: str) -> None:
    """Every verb's table reads as it was read last, with its exit code."""
    code, command = COMMANDS[name]
    said = asked(*command.split())
    shown = "".join(f"{line.rstrip()}\n" for line in said.out.splitlines())
    screen = SCREENS / f"{name}.txt"
    if os.environ.get("WRITE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        screen.write_text(shown)
    assert (said.code, said.err) == (code, "")
    assert shown == screen.read_text()


@pytest.mark.parametrize("name", [n for n in COMMANDS if not n.endswith("wide")])
def test_no_screen_shows_a_secret_or_cuts_a_name(asked: Typed, name: str) -> None:
    """The canary is nowhere, and nothing is shortened to an ellipsis at the edge."""
    shown = asked(*COMMANDS[name][1].split()).out
    assert shop.CANARY not in shown
    assert not [line for line in shown.splitlines() if line.rstrip().endswith("…")]

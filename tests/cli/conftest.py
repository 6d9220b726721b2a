"""A command line beside a real status endpoint that shows the shop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from reconciler.api.server import StatusServer
from reconciler.cli.app import run
from tests.api import shop


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Typed = Callable[..., Said]


@pytest.fixture(scope="session")
def daemon() -> Iterator[StatusServer]:
    server = StatusServer(shop.surface(), port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """``typed("get", "resources")``: runs one command line in this process, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def typed(*arguments: str) -> Said:
        code = run(arguments)
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return typed


@pytest.fixture
def asked(typed: Typed, daemon: StatusServer, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """The same, asking the shop's daemon."""
    monkeypatch.setenv("RECONCILER_URL", daemon.url)
    return typed

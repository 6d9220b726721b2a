"""What every test may lean on: nothing of the shell, the git configuration or the terminal of whoever runs them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("reconciler", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("reconciler")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What computes for long is left out with the real tests: ``-m "not real"`` is for those who wait for it."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.real)


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the caller's shell reaches a test: neither our own, nor git's, nor a terminal's."""
    for name in tuple(os.environ):
        if name.startswith(("RECONCILER_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture(scope="session")
def needs() -> Callable[..., str]:
    """``needs(program, get=…)`` says where a real component is.

    Without it the test is skipped and says how to get it; with CI=true it fails: nothing is left out unnoticed.
    """

    def find(program: str, *, get: str) -> str:
        found = shutil.which(program)
        if found:
            return found
        message = f"{program} is missing: {get}"
        return pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)

    return find

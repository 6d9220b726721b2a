"""Caddy's whole configuration as anybody with the socket may read and replace it, for tests that meddle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.drivers.edge.admin import Admin


def raw(place: Path, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """What it is; with ``config``, what it is from now on."""
    admin = Admin(place / "admin.sock")
    found, version = admin.get()
    if config is not None:
        admin.post(config, version)
    return found if config is None else config

"""Styles, scripts and the icon, under names that change with their content, so that a browser keeps them for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

ROOT = files("reconciler.api.dashboard").joinpath("static")

TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; ``name`` holds a digest of its content."""

    name: str
    content: bytes
    media_type: str

    @property
    def url(self) -> str:
        return f"/static/{self.name}"


def read(file: str) -> Asset:
    stem, _, kind = file.rpartition(".")
    content = ROOT.joinpath(file).read_bytes()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return Asset(f"{stem}.{digest}.{kind}", content, TYPES[kind])


ASSETS: Mapping[str, Asset] = {name: read(name) for name in ("style.css", "live.js", "htmx.min.js", "icon.svg")}
BY_NAME: Mapping[str, Asset] = {asset.name: asset for asset in ASSETS.values()}


def url(file: str) -> str:
    """Where a file is served."""
    return ASSETS[file].url

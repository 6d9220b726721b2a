"""Caddy behind the port: what it is started with, what it does, and how it is told. Somebody else runs it.

Whatever it reads or writes is the whole configuration, in one request: compared here, and replaced only if nobody
changed it meanwhile. So a pass that changes nothing writes nothing, and no write is ever half done.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from reconciler.drivers.edge import compare, complaints
from reconciler.drivers.edge.admin import Admin
from reconciler.drivers.edge.binary import find_caddy
from reconciler.drivers.edge.marks import EDGE, Marks
from reconciler.drivers.edge.merge import merged
from reconciler.drivers.edge.render import SOCKET, Served, bare, block
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import EdgeSpec
from reconciler.ports import EdgeProgram, EdgeReading

START = "start.json"
LARGEST_RESUMED = 64 * 1024 * 1024


class Caddy:
    """Implements ``ports.EdgeProxy``. ``place`` is its folder, and where it must be run; ``served`` says where an
    artifact lies, as Caddy sees it."""

    def __init__(self, key: ResourceKey, instance_id: str, place: Path, served: Served) -> None:
        self._unit, self._marks, self._place, self._served = UnitKey(key), Marks(instance_id), place, served
        self._admin = Admin(place / SOCKET)
        self._lock = threading.Lock()
        self._last: tuple[str, EdgeReading] | None = None

    def program(self, *, resume: bool = True) -> EdgeProgram:
        binary = find_caddy()
        config, data = self._place / "config", self._place / "data"
        for folder in (config, config / "caddy", data):
            folder.mkdir(mode=0o700, exist_ok=True)
        autosave = config / "caddy" / "autosave.json"
        _write(self._place / START, bare(self._marks))
        if resume:
            self._mend(autosave)
        elif autosave.exists():
            autosave.replace(autosave.with_suffix(".refused.json"))
        env = {"HOME": str(self._place), "XDG_CONFIG_HOME": str(config), "XDG_DATA_HOME": str(data)}
        return EdgeProgram((binary, "run", "--resume", "--config", START), env)

    def read(self) -> EdgeReading:
        config, version = self._admin.get()
        with self._lock:
            if self._last is not None and version and self._last[0] == version:
                return self._last[1]
        reading = compare.read(config, self._marks, self._served, unit=self._unit)
        with self._lock:
            self._last = (version, reading)
        return reading

    def write(self, spec: EdgeSpec) -> None:
        config, version = self._admin.get()
        wanted = merged(config, block(spec.edge, spec.routes, self._marks, self._served), self._marks)
        if wanted == config:
            return
        try:
            self._admin.post(wanted, version)
        except ReconcilerError as error:
            raise complaints.taken(str(error)) or error from error

    def why(self, output: Sequence[str]) -> ReconcilerError:
        return complaints.why(output)

    def _mend(self, autosave: Path) -> None:
        """Whatever was saved, it begins reachable; what makes no sense is set aside, and the routes are told anew."""
        try:
            if autosave.stat().st_size > LARGEST_RESUMED:
                raise InvalidInput(f"{autosave}: is larger than {LARGEST_RESUMED} bytes")
            saved: Any = orjson.loads(autosave.read_bytes())
            if not isinstance(saved, dict):
                raise InvalidInput(f"{autosave}: is no configuration")
        except FileNotFoundError:
            return
        except (orjson.JSONDecodeError, InvalidInput):
            autosave.replace(autosave.with_suffix(".damaged.json"))
            return
        wanted = bare(self._marks)["admin"]
        if self._marks.kind(saved.get("admin")) == EDGE:
            wanted = {**wanted, "@id": saved["admin"]["@id"]}
        if saved.get("admin") != wanted:
            _write(autosave, {**saved, "admin": wanted})


def _write(path: Path, config: dict[str, Any]) -> None:
    aside = path.with_name(f".{path.name}.new")
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(orjson.dumps(config))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)

"""Caddy behind the port: what it is started with, what it does, and how it is told. Somebody else runs it.

Whatever it reads or writes is the whole configuration, in one request: compared here, and replaced only if nobody
changed it meanwhile. So a pass that changes nothing writes nothing, and no write is ever half done.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from reconciler.drivers.edge import compare, complaints
from reconciler.drivers.edge.admin import Admin
from reconciler.drivers.edge.binary import find_caddy
from reconciler.drivers.edge.certificates import Certificates, write_whole
from reconciler.drivers.edge.complaints import AddressTaken
from reconciler.drivers.edge.marks import EDGE, Marks
from reconciler.drivers.edge.merge import merged
from reconciler.drivers.edge.render import SOCKET, Served, bare, block
from reconciler.errors import InvalidInput, ReconcilerError, TransientError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.plan.actions import EdgeSpec
from reconciler.ports import EdgeProgram, EdgeReading, SecretResolver

START = "start.json"
LARGEST_RESUMED = 64 * 1024 * 1024


class Caddy:
    """Implements ``ports.EdgeProxy``. ``place`` is its folder, and where it must be run; ``served`` says where an
    artifact lies, as Caddy sees it."""

    def __init__(
        self, key: ResourceKey, instance_id: str, secrets: SecretResolver, place: Path, served: Served
    ) -> None:
        self._unit, self._marks, self._place, self._served = UnitKey(key), Marks(instance_id), place, served
        self._admin, self._certificates = Admin(place / SOCKET), Certificates(place, secrets)
        self._lock = threading.Lock()
        self._last: tuple[tuple[str, frozenset[str]], EdgeReading] | None = None

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
        kept = self._certificates.names()
        with self._lock:
            if self._last is not None and version and self._last[0] == (version, kept):
                return self._last[1]
        reading = compare.read(config, self._marks, self._served, unit=self._unit, kept=kept)
        with self._lock:
            self._last = ((version, kept), reading)
        return reading

    def write(self, spec: EdgeSpec) -> None:
        """An address that cannot be had keeps nobody else waiting: the rest is written without it, and then it is
        told."""
        self._certificates.keep(spec.certificates)
        try:
            self._put(spec)
        except AddressTaken as error:
            blamed = [route for route in spec.routes if route.shape.listen == error.address]
            if not blamed:
                raise
            self._put(replace(spec, routes=tuple(route for route in spec.routes if route not in blamed)))
            way = "end what listens there, or keep other programs out of the server's portRange"
            raise TransientError(
                f"{blamed[0].id}: its stable address {error.address} is taken by another program; {way}"
            ) from error

        self._certificates.forget_others({route.shape.tls for route in spec.routes})

    def _put(self, spec: EdgeSpec) -> None:
        config, version = self._admin.get()
        kept = self._certificates.names()
        ours = block(spec.edge, spec.routes, self._marks, self._served, kept=kept)
        wanted = merged(config, ours, self._marks)
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
    write_whole(path, orjson.dumps(config))

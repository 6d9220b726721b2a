"""What is on record, as typed values, and how they are read and written. Fields of newer versions are skipped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.desired.objects import Probe
from reconciler.drivers.process import durable
from reconciler.errors import TransientError
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.observed.snapshot import Health

T = TypeVar("T")


class Damaged(TransientError):
    """A record is there and cannot be read; nothing may be concluded from it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Proves that a thing is ours: it names the very thing it lies in, and the daemon that made it."""

    kind: str
    name: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """``intent`` is what the engine keeps up whether or not a daemon looks; ``intent_at`` is in epoch seconds."""

    mark: Mark
    uid: str
    key: ResourceKey
    unit: UnitKey
    release: str
    stamp: str
    ordinal: int
    created: float
    artifact: str
    probe: Probe
    settings: Mapping[str, str]
    ports: Mapping[str, int]
    intent: Literal["run", "stop"] = "run"
    intent_at: float = 0.0
    mounts: tuple[str, ...] = ()  # object names of its volumes
    user: str = ""
    note: str = ""  # what a person should know of how it runs


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What runs, by the shim's own word: ``start`` in clock ticks since boot, ``since`` in epoch seconds."""

    pid: int
    start: int
    boot: str
    program: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class ExitsRecord:
    """How often an instance ended by itself. ``streak`` counts the quick ends in a row; ``pid`` and ``start`` are of
    the last one; ``code`` None when no daemon saw it; ``tail`` is its last output, secrets masked."""

    count: int = 0
    streak: int = 0
    code: int | None = None
    at: float = 0.0
    pid: int = 0
    start: int = 0
    tail: str = ""


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """What probes said of the run (pid, start); ``proven``: it was healthy once."""

    pid: int
    start: int
    health: Health
    proven: bool
    since: float
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """What the shim needs to become a workload. ``secrets`` names the variables that hold one. Mode 0600."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    user: str = ""
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """The part that every ``launch.json`` has, for those who only want to know what to mask."""

    env: Mapping[str, str]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildPlace:
    """``source`` is copied to ``place``, and ``place`` is published as the link ``result``."""

    source: str
    place: str
    result: str


@dataclass(frozen=True, slots=True)
class JobLaunch:
    """What a job's runner needs: commands one after the other, ``timeout`` in seconds for all of them."""

    commands: tuple[tuple[str, ...], ...]
    env: Mapping[str, str]
    cwd: str
    timeout: float
    user: str = ""
    secrets: tuple[str, ...] = ()
    build: BuildPlace | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The receipt. ``uses`` is the artifact it runs in, ``artifact`` the one it leaves."""

    mark: Mark
    uid: str
    key: ResourceKey
    unit: UnitKey
    slot: str
    kind: Literal["build", "release"]
    created: float
    uses: str
    artifact: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobExit:
    """How a job ended, by its runner's word."""

    code: int
    at: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """``bound``: the path is the host's own and only named here."""

    mark: Mark
    uid: str
    key: ResourceKey
    unit: UnitKey
    path: str
    bound: bool = False


@dataclass(frozen=True, slots=True)
class AddressRecord:
    mark: Mark
    key: ResourceKey
    unit: UnitKey
    port_name: str
    ordinal: int
    host: str
    port: int


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def write(path: Path, value: object) -> None:
    """Replaces a record atomically."""
    durable.write(path, _adapter(type(value)).dump_json(value))


class Reader:
    """Reads records, and keeps what it read for as long as the file is the same one. Safe from any thread."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, int, int], Any]] = {}

    def read(self, path: Path | str, kind: type[T]) -> T | None:
        """None when there is no such file. Raises ``Damaged`` for one that makes no sense."""
        path = str(path)
        try:
            seen = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            self._kept.pop(path, None)
            return None
        version = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        kept = self._kept.get(path)
        if kept is None or kept[0] != version or not isinstance(kept[1], kind):
            kept = (version, _parse(path, kind))
            self._kept[path] = kept
        value: T | None = kept[1]
        return value

    def forget(self, folder: Path) -> None:
        """Drops what was read out of a folder that is gone."""
        for path in [p for p in list(self._kept) if p.startswith(f"{folder}/")]:
            self._kept.pop(path, None)


def _parse(path: str, kind: type[T]) -> T | None:
    try:
        value: T = _adapter(kind).validate_json(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        # not chained: the library's text quotes the input, which may hold a secret
        raise Damaged(f"{path}: is damaged ({error.error_count()} errors); restore it or move it away") from None
    return value

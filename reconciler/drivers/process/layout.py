"""Where everything lies below a state root. Paths only; nothing is read or written here, except to make the folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from reconciler.errors import InvalidInput
from reconciler.manifests.identity import ResourceKey

RECORD = "record.json"  # what it is, whose it is, and what we intend with it
LAUNCH = "launch.json"  # program, environment (secrets included) and user, as the shim takes them
RUN = "run.json"  # written by the shim: pid, start time, boot
EXITS = "exits.json"  # written by the supervisor: how often it ended, and how the last time
HEALTH = "health.json"  # written by the supervisor: what the last probes said
EXIT = "exit.json"  # written by a job's runner: how it ended
LOCK = "lock"  # held by whatever runs out of this folder
LOG = "log"

LONGEST_NAME = 200


def checked_name(name: str) -> str:
    """``name`` as one path component. Raises ``InvalidInput`` for one that could leave its folder."""
    if not name or name.startswith(".") or "/" in name or "\0" in name or len(name) > LONGEST_NAME:
        raise InvalidInput(f"name {name!r}: is not a plain file name of at most {LONGEST_NAME} characters")
    return name


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one state root. Those that a workload's user must pass through are 0711, the others 0700."""

    root: Path

    @property
    def instances(self) -> Path:
        return self.root / "instances"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def addresses(self) -> Path:
        return self.root / "addresses"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def verdicts(self) -> Path:
        return self.root / "verdicts"

    @property
    def departed(self) -> Path:
        """The last output of instances that were removed, by their names."""
        return self.root / "departed"

    @property
    def trash(self) -> Path:
        """What is being made or deleted; nothing in it counts, and a starting daemon empties it."""
        return self.root / "tmp"

    @property
    def edge(self) -> Path:
        """The edge proxy's own folder, made with its first start."""
        return self.root / "edge"

    @property
    def ports_lock(self) -> Path:
        return self.root / "ports.lock"

    def instance(self, name: str) -> Path:
        return self.instances / checked_name(name)

    def job(self, name: str) -> Path:
        return self.jobs / checked_name(name)

    def artifact(self, name: str) -> Path:
        return self.artifacts / checked_name(name)

    def address(self, name: str) -> Path:
        return self.addresses / f"{checked_name(name)}.json"

    def volume(self, key: ResourceKey) -> Path:
        return self.volumes / checked_name(key.project) / checked_name(key.environment) / checked_name(key.name)

    def volume_mark(self, key: ResourceKey) -> Path:
        """Beside the volume's data, never in it."""
        return self.volume(key).parent / f".{key.name}.json"

    def verdict(self, key: ResourceKey) -> Path:
        parts = (key.kind, key.project, key.environment, key.name)
        return self.verdicts / (",".join(quote(part, safe="") for part in parts) + ".json")

    def prepare(self) -> None:
        """Makes what is missing; leaves what is there as it is."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        for folder in (self.instances, self.jobs, self.artifacts, self.volumes):
            make(folder, 0o711)
        for folder in (self.addresses, self.verdicts, self.departed, self.trash):
            make(folder, 0o700)


def make(folder: Path, mode: int) -> None:
    """A folder with exactly this mode, whatever the umask; one that is there is left as it is."""
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        return
    os.chmod(folder, mode)

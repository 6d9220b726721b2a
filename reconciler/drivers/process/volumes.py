"""Volumes: folders for data, with their marks beside them, and places of the host that are only named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.desired.objects import VolumeObject
from reconciler.drivers.process import durable, layout, record
from reconciler.drivers.process.record import VolumeRecord
from reconciler.drivers.process.site import Site
from reconciler.errors import Conflict, ExistsNotOurs, InvalidInput
from reconciler.plan.actions import Action

KIND = "volume"


class Volumes:
    """Data is never deleted by anything but ``delete`` with the right uid."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def create(self, action: Action, wanted: VolumeObject) -> None:
        """Makes the folder, or checks that a bind mount's place is there."""
        mark_path = self._site.layout.volume_mark(action.key)
        place = Path(wanted.bind_path) if wanted.bind_path else self._site.layout.volume(action.key)
        present = self._ours(action.name, mark_path)
        if wanted.bind_path and not place.is_dir():
            raise InvalidInput(f"volume {action.name}: {place} is no folder on this server; create it there first")
        if present is not None and place.is_dir() and present.path == str(place):
            return
        if present is None and not wanted.bind_path and place.exists():
            raise ExistsNotOurs(f"volume {action.name}: {place} is there without our mark; move it away")
        for folder in (mark_path.parent.parent, mark_path.parent):
            layout.make(folder, 0o711)
        # the mark goes first: a folder without one would never be touched again
        self._site.step("create-volume:marking")
        record.write(mark_path, self._record(action, wanted, place))
        self._site.step("create-volume:marked")
        layout.make(place, 0o755)
        durable.sync_folder(place.parent)
        self._site.step("create-volume:made")

    def delete(self, action: Action, *, in_use: bool) -> None:
        """Deletes the data, or forgets a bind mount. Absent is success; another uid is a ``Conflict``."""
        present = self.find(action.name)
        if present is None:
            return
        mark_path = self._site.layout.volume_mark(present.key)
        if present.uid != action.expects:
            raise Conflict(f"volume {action.name}: was made anew meanwhile")
        if in_use:
            raise Conflict(f"volume {action.name}: a running instance still uses it")
        place = Path(present.path)
        away = None if present.bound or not place.is_dir() else durable.detach(place, self._site.layout.trash)
        self._site.step("delete-volume:detached")
        durable.unlink(mark_path)
        if away is not None:
            durable.erase(away)
        self._site.step("delete-volume:deleted")

    def find(self, name: str) -> VolumeRecord | None:
        """The mark of ours under this object name."""
        return next((v for v in self.records() if v.mark == self._site.mark(KIND, name)), None)

    def place(self, name: str) -> str:
        """Where a volume is. Raises ``Conflict`` while it is not there."""
        present = self.find(name)
        if present is None or not self.is_there(present):
            raise Conflict(f"volume {name}: is not there yet")
        return present.path

    def records(self) -> Iterator[VolumeRecord]:
        """Every mark. Raises ``Damaged`` or ``OSError`` for what cannot be read."""
        for environment in self._environments():
            for path in sorted(environment.iterdir()):
                if path.name.startswith(".") and path.suffix == ".json":
                    found = self._site.reader.read(path, VolumeRecord)
                    if found is not None:
                        yield found

    def is_there(self, present: VolumeRecord) -> bool:
        """A mark whose folder is gone stands for nothing."""
        return Path(present.path).is_dir()

    def unmarked(self) -> Iterator[Path]:
        """Folders where volumes lie that have no mark of ours beside them."""
        for environment in self._environments():
            for path in sorted(environment.iterdir()):
                if not path.name.startswith(".") and not (environment / f".{path.name}.json").exists():
                    yield path

    def _environments(self) -> Iterator[Path]:
        for project in sorted(self._site.layout.volumes.iterdir()):
            if project.is_dir():
                yield from sorted(path for path in project.iterdir() if path.is_dir())

    def _ours(self, name: str, path: Path) -> VolumeRecord | None:
        present = self._site.reader.read(path, VolumeRecord)
        if present is not None and present.mark != self._site.mark(KIND, name):
            raise ExistsNotOurs(f"volume {name}: {path} is the mark of something else")
        return present

    def _record(self, action: Action, wanted: VolumeObject, place: Path) -> VolumeRecord:
        mark = self._site.mark(KIND, action.name)
        made = VolumeRecord(mark, self._site.new_uid(), action.key, action.unit, str(place))
        return replace(made, bound=bool(wanted.bind_path))

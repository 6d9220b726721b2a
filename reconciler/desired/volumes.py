"""Volumes in their environments: those with a document, and those that are only named by somebody's storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.desired.names import volume_name
from reconciler.desired.objects import VolumeObject
from reconciler.desired.scope import Candidate
from reconciler.manifests.catalog import Catalog, Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.volume import VolumeSpec
from reconciler.manifests.problem import Problem
from reconciler.manifests.support import unsupported


@dataclass(frozen=True, slots=True)
class Mounted:
    """A volume in one environment, and who mounts it."""

    key: ResourceKey
    document: Document | None
    spec: VolumeSpec
    users: tuple[Candidate, ...]

    @property
    def writers(self) -> list[Candidate]:
        return [user for user in self.users if self._mode(user) == "rw"]

    def _mode(self, user: Candidate) -> str:
        modes = {mount.mode for mount in (user.spec.storage or {}).values() if mount.volume == self.key.name}
        return "rw" if "rw" in modes else "ro"

    def object(self) -> VolumeObject | None:
        """What is to exist: it lives where its users run; None when nobody mounts it."""
        if not self.users:
            return None
        first = self.users[0]
        document = self.document or first.document
        renamed = self.document.metadata.get("renamedFrom") if self.document is not None else None
        identity = ResourceKey("Volume", self.key.project, renamed, self.key.environment) if renamed else self.key
        return VolumeObject(
            self.key,
            first.unit,
            volume_name(identity),
            self.spec.deletion_policy,
            bind_path=self.spec.source_path or "",
            source=document.source,
            place=document.place("spec"),
        )

    def problems(self) -> list[tuple[Candidate, Problem]]:
        """What is wrong with how it is mounted, each with who is blocked by it."""
        found = [(user, problem) for user in self.users for problem in self._of_user(user)]
        homes = sorted({user.target.key.name for user in self.users})
        if len(homes) > 1:
            found += [
                (user, self._problem(user, f"it is mounted on {' and on '.join(homes)}: a volume lives on one target"))
                for user in self.users
            ]
        elif len(self.users) > 1 and self.spec.access != "shared" and self.writers:
            names = ", ".join(user.key.name for user in self.users)
            message = f"{names} mount it together; declare it with access: shared"
            found += [(user, self._problem(user, message)) for user in self.users]
        return found

    def _of_user(self, user: Candidate) -> Iterable[Problem]:
        if self.document is not None:
            for fault in unsupported("Volume", self.spec):
                yield Problem(self.document.place(*fault.location), ".".join(map(str, fault.location)), fault.message)
        allowed = user.target.bind_paths
        path = self.spec.source_path
        if path is not None and not any(_below(path, root) for root in allowed):
            yield self._problem(user, f"{path} is below none of {user.target.key}'s spec.allow.bindPaths")

    def _problem(self, user: Candidate, message: str) -> Problem:
        path = next(p for p, mount in (user.spec.storage or {}).items() if mount.volume == self.key.name)
        return user.problem(f"volume {self.key.name}: {message}", "spec", "storage", path, "volume")


def volumes_of(catalog: Catalog, candidates: Mapping[ResourceKey, Candidate]) -> list[Mounted]:
    """Every volume that is declared or mounted, in every environment where it is."""
    users: dict[ResourceKey, list[Candidate]] = {}
    for key, candidate in sorted(candidates.items()):
        for name in sorted({mount.volume for mount in (candidate.spec.storage or {}).values()}):
            users.setdefault(ResourceKey("Volume", key.project, name, key.environment), []).append(candidate)
    found = []
    for key, mounting in sorted(users.items()):
        document = catalog.documents.get(key.written)
        spec = document.spec if document is not None and isinstance(document.spec, VolumeSpec) else VolumeSpec()
        found.append(Mounted(key, document, spec, tuple(mounting)))
    return found


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip('/')}/")

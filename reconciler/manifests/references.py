"""Which fields name other manifests, and what is wrong when nobody has the name.

Works on what was written, so that overrides, which are only parts of a spec, are looked through as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from reconciler.manifests.document import Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds import KINDS
from reconciler.manifests.location import Location
from reconciler.manifests.wording import close_match

ANY = "*"  # every item or value
KEYS = "#"  # the keys of a mapping

Path = tuple[str, ...]

_LINKS: Mapping[Path, tuple[str, ...]] = {("variables", ANY, "from", "resource"): ("Resource", "Dependency")}
_TARGET: Mapping[Path, tuple[str, ...]] = {("target", "server"): ("Server",), ("target", "cluster"): ("Cluster",)}
_PLACED: Mapping[Path, tuple[str, ...]] = {("environment",): ("Environment",)}
_SUBJECT: Mapping[Path, tuple[str, ...]] = {
    **_PLACED,
    ("subject", "dependency"): ("Dependency",),
    ("subject", "sandbox"): ("AgentSandbox",),
    ("repository",): ("BackupRepository",),
}
_IN_PROJECT: Mapping[Path, tuple[str, ...]] = {
    ("environments", ANY): ("Environment",),
    ("overrides", KEYS): ("Environment",),
}
_RESOURCE: Mapping[Path, tuple[str, ...]] = {
    **_LINKS,
    **_TARGET,
    ("dependsOn", ANY): ("Resource", "Dependency"),
    ("bindings", KEYS): ("Dependency",),
    ("domains", ANY, "environment"): ("Environment",),
    ("domains", ANY, "certificateRef"): ("Certificate",),
    ("source", "credentialRef"): ("Credential",),
    ("templateRef",): ("Template",),
    ("deploy", "requires", "freshBackup", "policy"): ("BackupPolicy",),
}
_BY_KIND: Mapping[str, Mapping[Path, tuple[str, ...]]] = {
    "Project": _LINKS,
    "Environment": {**_LINKS, **_TARGET},
    "Resource": {
        ("extends",): ("Resource",),
        **_RESOURCE,
        **{("overrides", ANY, *path): kinds for path, kinds in _RESOURCE.items()},
    },
    "Source": {("credentialRef",): ("Credential",)},
    "Server": {("connection", "credentialRef"): ("Credential",)},
    "Dependency": {**_TARGET, ("shareFrom",): ("Environment",), ("from", "resource"): ("Resource",)},
    "Domain": {**_PLACED, ("resource",): ("Resource",), ("certificateRef",): ("Certificate",)},
    "ScheduledTask": {("resource",): ("Resource",)},
    "BackupRepository": {("credentialRef",): ("Credential",)},
    "BackupPolicy": {
        ("subjects", "dependencies", ANY): ("Dependency",),
        ("subjects", "sandboxes", ANY): ("AgentSandbox",),
        ("repository",): ("BackupRepository",),
    },
    "BackupRequest": _SUBJECT,
    "RestoreRequest": _SUBJECT,
    "TaskRunRequest": {**_PLACED, ("task",): ("ScheduledTask",)},
    "VolumeCleanupRequest": _PLACED,
    "LogArchiveRequest": {**_PLACED, ("resource",): ("Resource",)},
    "PruneRequest": {("servers", ANY): ("Server",)},
    "PrunePolicy": {("servers", ANY): ("Server",)},
    "MonitoringThreshold": {("servers", ANY): ("Server",)},
    "PreviewPolicy": {
        ("source",): ("Source",),
        ("basedOn",): ("Environment",),
        ("include", ANY): ("Resource",),
        ("images", KEYS): ("Resource",),
        ("dependencies", KEYS): ("Dependency",),
    },
    "AgentSandbox": {("templateRef",): ("Template",)},
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A name at ``location`` (in the whole document) of something that is one of ``keys``."""

    location: Location
    keys: tuple[ResourceKey, ...]

    def found_in(self, known: Collection[ResourceKey]) -> ResourceKey | None:
        """What it leads to; None when it dangles."""
        return next((key for key in self.keys if key in known), None)


def references(document: Document) -> Iterator[Reference]:
    """Everything that a document names, in the order of the table; its project is not among it."""
    project = document.key.name if document.key.kind == "Project" else document.key.project
    for path, kinds in _table(document.key.kind).items():
        if path[0] not in document.raw:
            continue
        for location, name in _names(document.raw, path, ("spec",)):
            yield Reference(location, tuple(_key(kind, project, name) for kind in kinds))


@cache
def _table(kind: str) -> Mapping[Path, tuple[str, ...]]:
    in_project = KINDS[kind].scope == "project" and kind != "Environment"
    return {**_BY_KIND.get(kind, {}), **(_IN_PROJECT if in_project else {})}


def dangling(reference: Reference, known: Mapping[ResourceKey, str]) -> str:
    """What to say of a reference that leads nowhere; ``known`` is where each identity is declared."""
    wanted = reference.keys[0]
    kinds = " or ".join(key.kind for key in reference.keys)
    where = f" in project {wanted.project}" if wanted.project else ""
    near = {key.name: key for key in known for want in reference.keys if key == _key(want.kind, want.project, key.name)}
    hint = close_match(wanted.name, near)
    if hint:
        name = hint.removeprefix("; did you mean ").removesuffix("?")
        hint = f"; did you mean {name} ({known[near[name]]})?"
    return f"there is no {kinds} {wanted.name}{where}{hint}"


def _key(kind: str, project: str, name: str) -> ResourceKey:
    return ResourceKey(kind, project if KINDS[kind].scope == "project" else "", name)


def _names(value: object, path: Path, location: Location) -> Iterator[tuple[Location, str]]:
    """Every text at ``path``; where something of another shape is written, there is nothing to find."""
    if not path:
        if isinstance(value, str):
            yield location, value
    elif path[0] == KEYS and isinstance(value, dict):
        yield from (((*location, name), name) for name in value)
    elif path[0] == ANY and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _names(item, path[1:], (*location, index))
    elif path[0] == ANY and isinstance(value, dict):
        for name, item in value.items():
            yield from _names(item, path[1:], (*location, name))
    elif isinstance(value, dict) and path[0] in value:
        yield from _names(value[path[0]], path[1:], (*location, path[0]))

"""Short forms that stand for documents of their own: the environments of a Project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.document import Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import LABEL
from reconciler.manifests.kinds.project import ProjectSpec
from reconciler.manifests.location import Location

_PREFIX = ("spec", "environments")


def environments_of(project: Document) -> Iterator[Document]:
    """The Environment documents that a Project's short form stands for, with the places they were written at."""
    if not isinstance(project.spec, ProjectSpec):
        return
    for name, spec in sorted(project.spec.environments.items()):
        yield Document(
            key=ResourceKey("Environment", project.key.name, name),
            source=project.source,
            path=project.path,
            raw=project.raw["environments"][name],
            spec=spec,
            metadata={"name": name, "project": project.key.name},
            positions=_moved(project.positions, (*_PREFIX, name)),
        )


def environments_written(key: ResourceKey, raw: Mapping[str, Any]) -> list[str]:
    """The names of the environments that a Project which cannot be used has in its short form."""
    written = raw.get("environments") if key.kind == "Project" else None
    names = written if isinstance(written, dict) else {}
    return sorted(name for name in names if isinstance(name, str) and re.match(LABEL, name))


def _moved(positions: Mapping[Location, tuple[int, int]], prefix: Location) -> dict[Location, tuple[int, int]]:
    depth = len(prefix)
    moved = {("spec", *place[depth:]): at for place, at in positions.items() if place[:depth] == prefix}
    return {(): positions[prefix], **moved} if prefix in positions else moved

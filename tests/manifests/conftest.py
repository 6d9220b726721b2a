"""Catalogs out of texts: what a source would have read, without a source."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.manifests.catalog import Catalog, build, candidates, ignore_files
from reconciler.manifests.decode import decode_file
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.ignore import ignore_of
from reconciler.manifests.revision import File, Revision

HEAD = "apiVersion: reconciler.dev/v1alpha1\n"
BASE = f"""\
{HEAD}kind: Project
metadata: {{name: shop}}
spec:
  environments:
    production: {{target: {{server: here}}}}
---
{HEAD}kind: Server
metadata: {{name: here}}
spec: {{connection: {{kind: local}}, engine: process}}
---
{HEAD}kind: Resource
metadata: {{name: api, project: shop}}
spec: {{source: {{kind: local-folder, path: .}}, ports: {{http: 8000}}}}
"""
"""A small world in which everything is right."""


class Repository:
    """Sources by name, each with texts by path; ``catalog`` reads them as the daemon would."""

    def __init__(self) -> None:
        self.sources: dict[str, dict[str, bytes]] = {"root": {}}
        self.refused: dict[str, str] = {}
        self.catalogs: list[Catalog] = []

    def write(self, path: str, text: str | bytes, *, source: str = "root") -> None:
        data = text.encode() if isinstance(text, str) else text
        self.sources.setdefault(source, {})[path] = data

    def remove(self, path: str, *, source: str = "root") -> None:
        del self.sources[source][path]

    def catalog(self) -> Catalog:
        """The catalog now; what the one before declared is remembered."""
        revisions = {name: self._revision(name, files) for name, files in self.sources.items()}
        ignores = {
            name: ignore_of({path: self.sources[name][path] for path in ignore_files(revision)})
            for name, revision in revisions.items()
        }
        decoded = {
            (name, path): decode_file(path, self.sources[name][path])
            for name, revision in revisions.items()
            for path in candidates(revision, ignores[name])
        }
        previous: Mapping[tuple[str, str], frozenset[ResourceKey]]
        previous = self.catalogs[-1].declared_by if self.catalogs else {}
        self.catalogs.append(build(revisions, decoded, previous=previous, ignores=ignores))
        return self.catalogs[-1]

    def _revision(self, name: str, files: Mapping[str, bytes]) -> Revision:
        refused = self.refused if name == "root" else {}
        return Revision(name, "1", {path: File(path, path) for path in files}, refused)


@pytest.fixture
def repository() -> Repository:
    """An empty repository."""
    return Repository()


@pytest.fixture
def shop(repository: Repository) -> Repository:
    """A repository with one good project, server and resource."""
    repository.write("base.yaml", BASE)
    return repository

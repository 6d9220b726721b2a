"""Names: what a manifest is, what an expanded resource is, what a unit of reconciliation is."""

from __future__ import annotations

from dataclasses import dataclass, replace

API_VERSION = "reconciler.dev/v1alpha1"


@dataclass(frozen=True, order=True, slots=True)
class ResourceKey:
    """One identity: (kind, project, name) as written; expansion adds the environment.

    ``project`` and ``environment`` are "" where the kind has none, or before expansion.
    """

    kind: str
    project: str
    name: str
    environment: str = ""

    def within(self, environment: str) -> ResourceKey:
        """The same identity, expanded into one environment."""
        return replace(self, environment=environment)

    @property
    def written(self) -> ResourceKey:
        """The identity as the manifest has it, without an environment."""
        return replace(self, environment="")

    def __str__(self) -> str:
        path = "/".join(part for part in (self.project, self.environment, self.name) if part)
        return f"{self.kind}/{path}"


@dataclass(frozen=True, order=True, slots=True)
class UnitKey:
    """What one pass works on: an environment on a target, or (project and environment "") a target's furniture.

    ``target`` is the key of a Server or a Cluster.
    """

    target: ResourceKey
    project: str = ""
    environment: str = ""

    @property
    def is_furniture(self) -> bool:
        return not self.project

    @property
    def furniture(self) -> UnitKey:
        """The furniture unit of the same target."""
        return UnitKey(self.target)

    def __str__(self) -> str:
        where = "furniture" if self.is_furniture else f"{self.project}/{self.environment}"
        return f"{self.target.name}/{where}"


def server(name: str) -> ResourceKey:
    """The key of a Server."""
    return ResourceKey("Server", "", name)


def cluster(name: str) -> ResourceKey:
    """The key of a Cluster."""
    return ResourceKey("Cluster", "", name)

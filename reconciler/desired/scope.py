"""Where a resource is looked at from: one environment of one project, on its target, among its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.desired.objects import TargetObject
from reconciler.manifests.catalog import Document
from reconciler.manifests.identity import ResourceKey, UnitKey
from reconciler.manifests.kinds.project import EnvironmentSpec, ProjectSpec
from reconciler.manifests.kinds.resource import ResourceSpec
from reconciler.manifests.problem import Problem


class Unplannable(Exception):
    """A resource cannot be planned as written: why, in one environment. Never leaves this room."""

    def __init__(self, reason: str, problems: list[Problem]) -> None:
        super().__init__(reason)
        self.reason, self.problems = reason, problems


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of one project, and what is true of all that is in it."""

    project: Document
    environment: Document
    targets: Mapping[ResourceKey, TargetObject]

    @property
    def name(self) -> str:
        return self.environment.key.name

    @property
    def project_spec(self) -> ProjectSpec:
        spec = self.project.spec
        assert isinstance(spec, ProjectSpec)
        return spec

    @property
    def spec(self) -> EnvironmentSpec:
        spec = self.environment.spec
        assert isinstance(spec, EnvironmentSpec)
        return spec


@dataclass(frozen=True, slots=True)
class Candidate:
    """One resource in one environment, merged and validated, before it is given its final shape."""

    key: ResourceKey
    document: Document
    spec: ResourceSpec
    place: Place
    target: TargetObject

    @property
    def unit(self) -> UnitKey:
        return UnitKey(self.target.key, self.key.project, self.key.environment)

    def problem(self, message: str, *location: str | int) -> Problem:
        """A problem at a field of its document (or the nearest thing that was written there)."""
        field_ = ".".join(str(part) for part in location)
        return Problem(self.document.place(*location), field_, message)

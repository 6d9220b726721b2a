"""PreviewPolicy: short-lived environments for branches and pull requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import Duration, Items, Label, Model, ProjectSpecific, Text, exactly_one


class PullRequests(Model):
    """Which pull requests get one."""

    labels: Items[Text] = ()
    base: Text | None = None


class Branches(Model):
    """Which branches get one, as patterns."""

    include: Annotated[Items[Text], Field(min_length=1)]
    exclude: Items[Text] = ()


class PreviewDependency(Model):
    """What data a preview sees."""

    mode: Literal["empty", "share", "restore"]


class PreviewPolicySpec(ProjectSpecific):
    """Previews of a repository's pull requests or branches; read from the trusted branch only."""

    source: Label
    """The name of a Source."""
    pull_requests: PullRequests | None = None
    branches: Branches | None = None
    based_on: Label
    """The environment that previews copy."""
    images: dict[Label, Text] | None = None
    """The image of each resource; {sha} is the commit."""
    include: Items[Label] | None = None
    dependencies: dict[Label, PreviewDependency] | None = None
    domain: Text | None = None
    secrets: Items[Text] = ()
    ttl: Duration = "72h"
    max_active: Annotated[int, Field(ge=1)] | None = None
    forks: Literal["disabled", "without-secrets", "with-secrets"] = "disabled"

    @model_validator(mode="after")
    def _one(self) -> PreviewPolicySpec:
        exactly_one(self, "pull_requests", "branches")
        return self

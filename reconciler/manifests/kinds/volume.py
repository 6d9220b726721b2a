"""Volume: data that outlives releases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from reconciler.manifests.kinds.base import AbsolutePath, ProjectSpecific, Size, Text
from reconciler.manifests.kinds.features import Later


class VolumeSpec(ProjectSpecific):
    """Data that outlives releases. A volume without a document is a named one that is retained."""

    kind: Annotated[Literal["named-volume", "bind-mount", "claim"], Later("kubernetes", values=("claim",))] = (
        "named-volume"
    )
    """A volume that we make, a folder of the machine, or a claim on a cluster."""
    existing_name: Annotated[Text | None, Later("adopt")] = None
    """The name of one that is there already."""
    size: Annotated[Size | None, Later("kubernetes")] = None
    storage_class: Annotated[Text | None, Later("kubernetes")] = None
    source_path: AbsolutePath | None = None
    """The folder that a bind-mount mounts, below one of the Server's allow.bindPaths."""
    access: Literal["single-writer", "shared"] = "single-writer"
    """Shared: several instances on one server may hold it at a time."""
    deletion_policy: Literal["retain", "delete"] = "retain"
    """Deleted only with this and an Approval."""

    @model_validator(mode="after")
    def _source_path(self) -> VolumeSpec:
        if (self.kind == "bind-mount") != (self.source_path is not None):
            raise ValueError("a bind-mount, and nothing else, has a sourcePath")
        return self

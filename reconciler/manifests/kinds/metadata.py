"""What identifies a manifest: its metadata."""

from __future__ import annotations

from reconciler.manifests.kinds.base import Label, Model


class GlobalMetadata(Model):
    """The identity of something that belongs to no project."""

    name: Label
    """Unique among its kind."""
    renamed_from: Label | None = None
    """The name it had before; what exists is kept."""


class ProjectMetadata(Model):
    """The identity of something in a project."""

    name: Label
    """Unique among its kind and project."""
    project: Label
    """The name of the Project it belongs to."""
    renamed_from: Label | None = None
    """The name it had before; what exists is kept."""

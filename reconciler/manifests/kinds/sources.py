"""The source kinds of a Resource: what its releases are made from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from reconciler.manifests.kinds.base import Items, Label, Model, SourcePath, Text, VariableName
from reconciler.manifests.kinds.features import Later


class GitRef(Model):
    """Which commit of a repository: at most one of these; its default branch otherwise."""

    branch: Text | None = None
    tag: Text | None = None
    semver: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> GitRef:
        if sum(value is not None for value in (self.branch, self.tag, self.semver)) > 1:
            raise ValueError("at most one of branch, tag, semver is wanted")
        return self


class DockerImage(Model):
    """A published image."""

    feature = "docker"

    kind: Literal["docker-image"]
    image: Text
    credential_ref: Label | None = None
    """The name of a Credential of kind registry."""


class Dockerfile(Model):
    """An image built from a Dockerfile; the context is this source's, or a repository's with url."""

    feature = "docker"

    kind: Literal["dockerfile"]
    path: SourcePath | None = None
    dockerfile: Text = "Dockerfile"
    target: Text | None = None
    platform: Text | None = None
    url: Text | None = None
    ref: GitRef | None = None


class RemoteGit(Model):
    """Another repository, always at a commit; built like a dockerfile or run like a local-folder."""

    feature = "remote-git"

    kind: Literal["remote-git"]
    url: Text
    ref: GitRef | None = None
    path: Text | None = None
    credential_ref: Label | None = None
    """The name of a Credential of kind git."""
    dockerfile: Text | None = None
    target: Text | None = None
    platform: Text | None = None


class LocalFolder(Model):
    """A folder of this source; its tree, without manifests, SOPS files and ignored files, makes the release."""

    kind: Literal["local-folder"]
    path: SourcePath
    """Relative to the manifest's folder, or with a leading / to the source's root."""


class Static(Model):
    """Files served by the edge: a folder of this source, or an archive with its digest."""

    feature = "edge"

    kind: Literal["static"]
    path: SourcePath | None = None
    archive: Annotated[Text | None, Later("archives")] = None
    digest: Annotated[Text | None, Later("archives")] = None

    @model_validator(mode="after")
    def _one(self) -> Static:
        if (self.path is None) == (self.archive is None):
            raise ValueError("exactly one of path, archive is wanted")
        if self.archive is not None and self.digest is None:
            raise ValueError("an archive needs its digest")
        return self


class _Fetched(Model):
    """Something in this source (path), or in a repository (url)."""

    path: SourcePath | None = None
    url: Text | None = None
    ref: GitRef | None = None


class Compose(_Fetched):
    """A compose file, read by its own format's rules."""

    feature = "compose"

    kind: Literal["compose"]
    files: Items[Text] = ()
    profiles: Items[Text] = ()
    services: Items[Text] = ()
    """All when absent."""
    env_files: Items[Text] = ()
    """Files that are not in git, filled from variables."""


class _ClusterManifests(_Fetched):
    """What the sources for clusters share."""

    feature = "kubernetes"

    credential_ref: Label | None = None
    interpolate: Items[VariableName] = ()
    """The only names whose ${NAME} is filled from variables."""


class Kubernetes(_ClusterManifests):
    """Plain Kubernetes manifests."""

    kind: Literal["kubernetes"]
    recursive: bool = False


class Kustomize(_ClusterManifests):
    """A kustomization."""

    kind: Literal["kustomize"]


class Helm(_ClusterManifests):
    """A chart, at an exact version."""

    kind: Literal["helm"]
    chart: Text | None = None
    version: Text | None = None
    values: dict[str, Any] | None = None
    values_files: Items[SourcePath] = ()
    include_crds: bool = Field(default=True, alias="includeCRDs")


class External(Model):
    """A name for something that we do not run: for links, domains and dependencies."""

    kind: Literal["external"]


Source = Annotated[
    DockerImage | Dockerfile | RemoteGit | LocalFolder | Static | Compose | Kubernetes | Kustomize | Helm | External,
    Field(discriminator="kind"),
]

"""Source: a further repository of manifests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.manifests.kinds.base import Duration, Items, Label, Model, SecretReference, Size, Spec, Text
from reconciler.manifests.kinds.sources import GitRef


class Verify(Model):
    """Whose signatures are wanted."""

    mode: Literal["commits", "tags"]
    signers: Annotated[Items[Text], Field(min_length=1)]
    """Public keys."""


class SourceAllow(Model):
    """What the manifests of this source may declare."""

    projects: Items[Label] | None = None
    kinds: Items[Text] | None = None


class Webhook(Model):
    """Who may wake us."""

    provider: Literal["github", "gitlab", "gitea", "forgejo", "bitbucket", "generic"]
    secret_ref: SecretReference


class SourceSpec(Spec):
    """A further repository of manifests."""

    url: Text
    ref: GitRef | None = None
    path: Text | None = None
    credential_ref: Label | None = None
    host_keys: Items[Text] = ()
    ca_bundle_ref: SecretReference | None = None
    timeout: Duration = "60s"
    max_size: Size = "256MiB"
    interval: Duration = "60s"
    on_rewrite: Literal["follow", "hold"] = "follow"
    verify: Verify | None = None
    allow: SourceAllow | None = None
    webhook: Webhook | None = None

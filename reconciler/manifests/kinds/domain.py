"""Domain and Certificate: the names under which the world sees a resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.manifests.kinds.base import (
    HostName,
    Items,
    Label,
    Model,
    PortReference,
    ProjectSpecific,
    RouteName,
    SecretReference,
    Text,
    UrlPath,
)
from reconciler.manifests.kinds.features import Later


class DomainRoute(Model):
    """What a domain does; the short form in a Resource has exactly these fields."""

    service: Annotated[Text | None, Later("compose")] = None
    """One of a stack's services."""
    environment: Label | None = None
    """Needed where the project has several environments."""
    port: PortReference | None = None
    """The port's name or number; without it the main port."""
    path_prefix: UrlPath | None = None
    strip_prefix: bool = False
    tls_mode: Literal["auto", "disabled"] = "auto"
    redirect_to: HostName | None = None
    """Answer with a redirect to this host instead."""
    redirect_status: Literal[301, 302, 307, 308] | None = None
    certificate_policy: Literal["auto", "manual", "disabled"] | None = None
    certificate_ref: Annotated[SecretReference | None, Later("certificates")] = None
    verification: Literal["address", "txt", "none"] | None = None


class DomainSpec(DomainRoute, ProjectSpecific):
    """A host, or a host and a path, that leads to a resource."""

    domain_name: RouteName
    """host[/path]"""
    resource: Label
    """The name of a Resource of the same project."""


class CertificateSpec(ProjectSpecific):
    """A certificate: obtained for you, or brought along."""

    source: Literal["managed", "imported"]
    secret_ref: SecretReference | None = None
    domains: Annotated[Items[HostName], Field(min_length=1)]
    retry_token: Text | None = None
    desired_state: Literal["revoked"] | None = None

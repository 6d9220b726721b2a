"""Domain and Certificate: the names under which the world sees a resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

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
    """Only requests whose path is this or lies below it; the same as a path behind the host."""
    strip_prefix: bool = False
    """The program is asked without the prefix."""
    tls_mode: Literal["auto", "disabled"] = "auto"
    """Disabled: plain http. Hosts of *.localhost are plain http too, unless auto is written."""
    redirect_to: HostName | None = None
    """Answer with a redirect to this host instead, ours or not; path and query stay."""
    redirect_status: Literal[301, 302, 307, 308] | None = None
    """308 when absent. 301 and 308 are permanent (browsers remember them), 302 and 307 temporary; 307 and 308 keep the
    method and the body of the request."""
    certificate_policy: Literal["auto", "manual", "disabled"] | None = None
    """Auto: the edge proxy obtains a certificate. Manual: one that is imported and lists the host. Disabled: none."""
    certificate_ref: Annotated[Label | None, Later("certificates")] = None
    """The name of an imported Certificate of the same project to use."""
    verification: Literal["address", "txt", "none"] | None = None
    """How it is shown that the domain is yours before its first route: its address leads to this server, or a TXT
    record of _reconciler.<domain> says what the status prints. None for *.localhost and listeners that nobody outside
    reaches; else address."""


class DomainSpec(DomainRoute, ProjectSpecific):
    """A host, or a host and a path, that leads to a resource."""

    domain_name: RouteName
    """host[/path]"""
    resource: Label
    """The name of a Resource of the same project."""


class CertificateSpec(ProjectSpecific):
    """A certificate: obtained for you, or brought along."""

    source: Literal["managed", "imported"]
    """Managed: the edge proxy obtains and renews it. Imported: it is a secret of yours, and you renew it."""
    secret_ref: SecretReference | None = None
    """Of an imported one: a secret with PEM blocks, the certificate first, then its chain, and its private key."""
    domains: Annotated[Items[HostName], Field(min_length=1)]
    """The hosts that it must be good for."""
    retry_token: Annotated[Text | None, Later("certificate-attempts")] = None
    desired_state: Annotated[Literal["revoked"] | None, Later("certificate-attempts")] = None

    @model_validator(mode="after")
    def _imported_from_somewhere(self) -> CertificateSpec:
        if self.source == "imported" and self.secret_ref is None:
            raise ValueError("secretRef is required: an imported certificate is a secret")
        if self.source == "managed" and self.secret_ref is not None:
            raise ValueError("secretRef is for imported certificates; the edge proxy keeps those that are managed")
        return self

"""Server, Cluster and Credential: where things run, and how the daemon gets there."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.manifests.hosts import ascii_host
from reconciler.manifests.kinds.base import (
    AbsolutePath,
    Items,
    Label,
    Model,
    PortNumber,
    PortRange,
    SecretReference,
    SecretSource,
    Spec,
    Text,
    exactly_one,
)
from reconciler.manifests.kinds.features import Later


class LocalConnection(Model):
    """The machine that the daemon runs on."""

    kind: Literal["local"]


class SshConnection(Model):
    """A machine reached over SSH; a host key is never accepted unseen."""

    feature = "ssh"

    kind: Literal["ssh"]
    host: Text
    port: PortNumber = 22
    user: Text = "root"
    credential_ref: Label
    """The name of a Credential of kind ssh."""
    host_keys: Annotated[Items[Text], Field(min_length=1)]
    """The machine's public keys, as in known_hosts."""


Connection = Annotated[LocalConnection | SshConnection, Field(discriminator="kind")]


class Listen(Model):
    """Where the edge proxy listens."""

    http: Text | None = None
    """host:port"""
    https: Text | None = None
    """host:port"""


class Acme(Model):
    """Who issues certificates."""

    email: Text | None = None
    ca: Text | None = None
    """The directory URL of an ACME server."""


class EdgeProxy(Model):
    """What leads requests to the resources of a server."""

    kind: Annotated[Literal["caddy", "external", "none"], Later("edge", values=("caddy", "external"))]
    """None: instances bind their stable addresses themselves, and rollouts are stop-first."""
    image: Annotated[Text | None, Later("docker")] = None
    listen: Annotated[Listen | None, Later("edge")] = None
    acme: Annotated[Acme | None, Later("edge")] = None


class Allow(Model):
    """What resources may have that reaches beyond their own sandbox. Nothing by default."""

    bind_paths: Items[AbsolutePath] = ()
    """Folders of the machine below which bind-mounts may lie."""
    host_network: Annotated[bool, Later("docker")] = False
    privileged: Annotated[bool, Later("docker")] = False
    docker_socket: Annotated[bool, Later("docker")] = False
    capabilities: Annotated[Items[Text], Later("docker")] = ()
    devices: Annotated[Items[Text], Later("docker")] = ()


class PlacementLimits(Model):
    """An admission rule."""

    max_deployments: Annotated[int, Field(ge=0)] | None = None
    """How many resources may run there."""


class DefaultDomain(Model):
    """The host names that resources get without declaring any."""

    mode: Annotated[
        Literal["disabled", "provider", "custom-template"], Later("provider-domains", values=("provider",))
    ] = "disabled"
    """Custom-template: every public resource that speaks HTTP gets a host by the template."""
    template: Text | None = None
    """A host made of {resource}, {environment} and {project}, as in {resource}-{environment}-{project}.localhost."""

    @model_validator(mode="after")
    def _made_of_names(self) -> DefaultDomain:
        if self.mode != "custom-template":
            return self
        if self.template is None:
            raise ValueError("template is required with mode custom-template")
        if not re.fullmatch(r"([^{}]|\{(resource|environment|project)\})+", self.template):
            raise ValueError("template: only {resource}, {environment} and {project} are filled in")
        ascii_host(re.sub(r"\{\w+\}", "x", self.template))
        return self


class ServerSpec(Spec):
    """A machine that runs resources."""

    connection: Connection
    """How the daemon gets there."""
    engine: Annotated[Literal["docker", "process"], Later("docker", values=("docker",))]
    """What runs the resources."""
    lifecycle: Literal["active", "inactive", "decommissioned"] = "active"
    """Inactive: no new work; what runs keeps running. Decommissioned: forgotten, with an Approval."""
    edge_proxy: EdgeProxy | None = None
    default_domain: Annotated[DefaultDomain | None, Later("edge")] = None
    port_range: PortRange | None = None
    """Ports to give to programs and stable addresses, both ends included; 20000-29999 when absent."""
    allow: Allow | None = None
    limits: Annotated[PlacementLimits | None, Later("limits")] = None


class ClusterAccess(Model):
    """How requests get into a cluster."""

    kind: Literal["ingress", "gateway"]
    class_name: Text | None = None
    issuer: Text | None = None


class ClusterSpec(Spec):
    """A Kubernetes cluster that runs resources: exactly one of kubeconfigRef and inCluster."""

    kubeconfig_ref: SecretReference | None = None
    in_cluster: Literal[True] | None = None
    context: Text | None = None
    namespace_template: Text | None = None
    access: ClusterAccess | None = None
    pod_security: Literal["baseline", "restricted"] = "baseline"
    default_domain: DefaultDomain | None = None
    limits: PlacementLimits | None = None

    @model_validator(mode="after")
    def _one(self) -> ClusterSpec:
        exactly_one(self, "kubeconfig_ref", "in_cluster")
        return self


class CredentialSpec(Spec):
    """A secret that lets the daemon in somewhere; never a value in clear."""

    kind: Literal["ssh", "registry", "git", "kubeconfig", "s3"]
    secret_ref: SecretSource

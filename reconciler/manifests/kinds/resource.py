"""Resource: one thing that runs, or that we know somebody else runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from reconciler.manifests.kinds.base import (
    CPU,
    AbsolutePath,
    Command,
    Items,
    Label,
    Model,
    PortNumber,
    ProjectSpecific,
    RouteName,
    SecretReference,
    Size,
    SourcePath,
    Text,
    UserName,
    VariableName,
    Variables,
    exactly_one,
    shape,
)
from reconciler.manifests.kinds.domain import DomainRoute
from reconciler.manifests.kinds.features import Later
from reconciler.manifests.kinds.project import Placement
from reconciler.manifests.kinds.rollout import Deploy, Health
from reconciler.manifests.kinds.sources import Source


class Build(Model):
    """How the release is made from the source."""

    commands: Items[Command] = ()
    """Run one after the other, once per tree and commands, in a writable copy."""
    strategy: Annotated[
        Literal["auto", "dockerfile", "docker-compose", "prebuilt-image", "workspace-commands", "static"] | None,
        Later("docker"),
    ] = None
    on: Annotated[Text | None, Later("docker")] = None
    """Where it is built."""
    args: Annotated[dict[VariableName, str] | None, Later("docker")] = None


class ReplicaRange(Model):
    """As many instances as the load asks for, on clusters."""

    feature = "kubernetes"

    min: Annotated[int, Field(ge=0)]
    max: Annotated[int, Field(ge=1)]
    cpu: Annotated[int, Field(ge=1, le=100)] | None = None
    """The CPU use, in percent, to aim at."""

    @model_validator(mode="after")
    def _ordered(self) -> ReplicaRange:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


Replicas = Annotated[
    Annotated[int, Field(ge=0, le=1000), Tag("<number>")] | Annotated[ReplicaRange, Tag("<mapping>")],
    Discriminator(
        shape, custom_error_type="replicas", custom_error_message="a whole number or {min, max, cpu} is wanted"
    ),
]


class PortSpec(Model):
    """A port in its long form."""

    port: PortNumber
    """What the program listens on; on the process engine the number is assigned and passed as PORT_<NAME>."""
    host_port: PortNumber | None = None
    """Makes this port alone direct, at this number of the machine."""
    protocol: Literal["tcp", "udp"] = "tcp"
    bind_address: Text | None = None
    """Where a direct port listens; loopback when absent."""
    primary: bool = False
    """The main port, where none is named http."""


Port = Annotated[
    Annotated[PortNumber, Tag("<number>")] | Annotated[PortSpec, Tag("<mapping>")],
    Discriminator(
        shape,
        custom_error_type="port",
        custom_error_message="a port number or {port, hostPort, protocol, bindAddress, primary} is wanted",
    ),
]


class Network(Model):
    """Who can reach the resource."""

    exposure: Literal["none", "reverse-proxy", "direct-port"] | None = None
    bind_address: Text | None = None
    """Where a direct port listens; loopback when absent."""
    join: Annotated[Items[Text] | None, Later("docker")] = None
    """Networks to join beside its own."""


class EnvFrom(Model):
    """Many variables at once: a .env file of the source, or a secret that holds one."""

    path: SourcePath | None = None
    secret: Annotated[SecretReference | None, Later("env-from-secret")] = None

    @model_validator(mode="after")
    def _one(self) -> EnvFrom:
        exactly_one(self, "path", "secret")
        return self


class FileContent(Model):
    """What a mounted file holds: a file or folder of the source, a secret, or a text."""

    path: SourcePath | None = None
    secret: SecretReference | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one(self) -> FileContent:
        exactly_one(self, "path", "secret", "text")
        return self


Part = Literal["host", "port", "username", "password", "database", "url"]
Parts = Annotated[
    Annotated[VariableName, Tag("<text>")] | Annotated[dict[VariableName, Part], Tag("<mapping>")],
    Discriminator(
        shape,
        custom_error_type="binding",
        custom_error_message="a variable's name or {NAME: host|port|username|password|database|url} is wanted",
    ),
]


class Binding(Model):
    """How a dependency's connection is passed."""

    env: Parts | None = None
    """A variable for the URL, or variables for its parts."""
    file: AbsolutePath | None = None

    @model_validator(mode="after")
    def _one(self) -> Binding:
        exactly_one(self, "env", "file")
        return self


class StorageMount(Model):
    """A volume at a path."""

    volume: Label
    """The name of a Volume; one without a document is a named volume that is retained."""
    mode: Literal["rw", "ro"] = "rw"
    env: VariableName | None = None
    """The variable that passes the place; the process engine, which mounts nothing, needs it."""


class Amounts(Model):
    """CPU and memory."""

    cpu: Annotated[str, StringConstraints(pattern=CPU)] | None = None
    memory: Size | None = None


class DisruptionBudget(Model):
    """How many instances may be missing at a time, on clusters."""

    min_available: Annotated[int, Field(ge=0)] | None = None
    max_unavailable: Annotated[int, Field(ge=0)] | None = None


class AutoUpdate(Model):
    """Follow an image's tag."""

    enabled: bool = True
    strategy: Literal["rolling", "recreate"] = "rolling"
    write_back: bool = False


class Adopt(Model):
    """Take over what runs already."""

    mode: Literal["observe", "takeover"] = "observe"
    compose_project: Text | None = None
    field_managers: Items[Text] = ()


class ResourceSpec(ProjectSpecific):
    """One thing that runs, or (source kind external) that we know somebody else runs."""

    type: Annotated[
        Literal["application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"]
        | None,
        Later("resource-type"),
    ] = None
    """Derived when absent."""
    source: Source | None = None
    """What its releases are made from; needed unless it extends another."""
    template_ref: Annotated[Label | None, Later("templates")] = None
    build: Build | None = None
    extends: Label | None = None
    """Another Resource of the project that this one copies source, build, variables, storage and more from."""
    target: Placement | None = None
    """Where it runs, when not where its environment does."""
    replicas: Replicas | None = None
    disruption_budget: Annotated[DisruptionBudget | None, Later("kubernetes")] = None
    command: Command | None = None
    """Replaces the entry point. An argument vector; $(NAME) is one of its variables."""
    args: Items[str] | None = None
    working_dir: Text | None = None
    user: UserName | None = None
    """Whom it runs as: a name or a number, in quotes."""
    ports: dict[Label, Port] | None = None
    """What it listens on. The main port is the one named http, the only one, or the one that is primary."""
    network: Network | None = None
    visibility: Annotated[Literal["public", "internal"] | None, Later("edge")] = None
    health: Health | None = None
    variables: Variables | None = None
    env_from: Items[EnvFrom] | None = None
    """Below its own variables, later ones over earlier ones."""
    env_mode: Literal["merge", "replace"] | None = None
    """Replace: only its own variables count, not the project's and the environment's."""
    files: Annotated[dict[AbsolutePath, FileContent] | None, Later("files")] = None
    bindings: Annotated[dict[Label, Binding] | None, Later("dependencies")] = None
    """How Dependencies are passed, by their name."""
    depends_on: Items[Label] | None = None
    """What must be healthy before the first instance of a new generation."""
    storage: dict[AbsolutePath, StorageMount] | None = None
    """Volumes, by path."""
    domains: Annotated[dict[RouteName, DomainRoute] | None, Later("edge")] = None
    """The short form of Domain documents, by host[/path]."""
    requests: Annotated[Amounts | None, Later("limits")] = None
    limits: Annotated[Amounts | None, Later("limits")] = None
    desired_state: Annotated[
        Literal["running", "stopped", "paused", "killed", "deleted"] | None,
        Later("paused-and-killed", values=("paused", "killed")),
    ] = None
    restart_token: Text | None = None
    """A new text restarts what runs, once; it builds and pulls nothing."""
    redeploy_token: Text | None = None
    """A new text makes a new generation."""
    reconcile_token: Text | None = None
    """A new text lifts a failed verdict and tries again."""
    suspend: bool | None = None
    """Planned and shown, never applied."""
    pinned_revision: Annotated[Text | None, Later("pinned-revision")] = None
    deploy: Deploy | None = None
    auto_update: Annotated[AutoUpdate | None, Later("docker")] = None
    restart_when_unhealthy: bool | None = None
    drift: Literal["repair", "report"] | None = None
    ignore: Items[Text] | None = None
    """Fields whose drift is nobody's business, as dotted paths."""
    adopt: Annotated[Adopt | None, Later("adopt")] = None
    ready: Annotated[Text | None, Later("kubernetes")] = None
    """An expression over a custom resource's status."""

    @model_validator(mode="after")
    def _made_from_something(self) -> ResourceSpec:
        if self.source is None and self.extends is None and self.template_ref is None:
            raise ValueError("source is required, unless the resource extends another or has a templateRef")
        return self

    @model_validator(mode="after")
    def _one_main_port(self) -> ResourceSpec:
        long_forms = {name: port for name, port in (self.ports or {}).items() if isinstance(port, PortSpec)}
        primary = [name for name, port in long_forms.items() if port.primary]
        if len(primary) > 1:
            raise ValueError(f"the ports {', '.join(primary)} are all primary; at most one is")
        return self

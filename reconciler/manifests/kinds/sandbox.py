"""Template and AgentSandbox: prepared shapes, and agents' sandboxes made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from reconciler.manifests.kinds.base import Items, Label, Model, ProjectSpecific, Spec, Text, VariableName, Variables


class TemplateVariable(Model):
    """A variable that users of a template may set."""

    description: str | None = None
    required: bool = False
    default: str | None = None


class TemplateSpec(Spec):
    """A prepared shape for resources or sandboxes."""

    description: str | None = None
    variables: dict[VariableName, TemplateVariable] | None = None
    resource: dict[str, Any] | None = None
    """What a Resource with this templateRef begins with."""
    sandbox: dict[str, Any] | None = None
    """What a sandbox with this templateRef begins with."""


class SandboxSource(Model):
    """What a sandbox is made from."""

    mode: Literal["snapshot", "template"] = "template"


class Agent(Model):
    """One agent of a sandbox."""

    id: Text
    desired_state: Literal["running", "paused", "auto"] = "running"
    """Auto: an activator outside decides; paused is never resumed by activity."""


class AgentSandboxSpec(ProjectSpecific):
    """A sandbox for agents, on a cluster."""

    source: SandboxSource | None = None
    template_ref: Label | None = None
    pinned_snapshot: Text | None = None
    env: Variables | None = None
    """Variables that the template declares."""
    redeploy_token: Text | None = None
    agents: Annotated[Items[Agent], Field(min_length=1)]

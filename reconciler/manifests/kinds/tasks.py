"""ScheduledTask: a command of a resource, on a schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from reconciler.manifests.kinds.base import DURATION, Command, Cron, Items, Label, ProjectSpecific, Text, seconds


def _at_most_a_day(duration: str) -> str:
    if not 1 <= seconds(duration) <= 86400:
        raise ValueError(f"{duration} is not between 1s and 24h")
    return duration


TaskTimeout = Annotated[str, StringConstraints(pattern=DURATION), AfterValidator(_at_most_a_day)]


class ScheduledTaskSpec(ProjectSpecific):
    """A command that runs in a resource's release on a schedule. A failed run never redeploys."""

    environments: Annotated[Items[Label], Field(min_length=1)]
    """The environments it runs in."""
    resource: Label
    service: Text | None = None
    schedule: Cron
    timezone: Text = "UTC"
    command: Command
    timeout: TaskTimeout | None = None
    retry_limit: Annotated[int, Field(ge=0, le=10)] = 0
    concurrency_policy: Literal["forbid"] = "forbid"
    enabled: bool = True

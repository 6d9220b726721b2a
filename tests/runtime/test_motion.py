"""When a single convergence may call it a day: not while something is about to tell more of itself."""

from __future__ import annotations

import pytest

from reconciler.manifests.identity import ResourceKey, UnitKey, server
from reconciler.observed.snapshot import Health, Instance, Job, JobState, State, Target
from reconciler.runtime.report import in_motion

HERE = server("here")
KEY, UNIT = ResourceKey("Resource", "shop", "web", "live"), UnitKey(HERE, "shop", "live")


def instance(state: State, health: Health, *, ours: bool = True) -> Target:
    made = Instance("web-0", "u", KEY, UNIT, "r", "", 0, state, health, ours=ours)
    return Target(1.0, instances={"web-0": made})


@pytest.mark.parametrize(
    ("target", "moving"),
    [
        (instance(State.RUNNING, Health.UNKNOWN), True),  # adopted, and not asked yet
        (instance(State.RUNNING, Health.STARTING), True),
        (instance(State.RUNNING, Health.HEALTHY), False),
        (instance(State.RUNNING, Health.UNHEALTHY), False),
        (instance(State.EXITED, Health.UNKNOWN), False),  # it may be started again for ever
        (instance(State.RUNNING, Health.STARTING, ours=False), False),
        (Target(1.0, jobs={"j": Job("j", "u", KEY, UNIT, "release:r", JobState.RUNNING)}), True),
        (Target(1.0, jobs={"j": Job("j", "u", KEY, UNIT, "release:r", JobState.FAILED)}), False),
        (Target(1.0), False),
    ],
)
def test_what_is_about_to_tell_more(target, moving):
    """An adopted instance is waited for until it was asked once."""
    assert in_motion({HERE: target}) is moving

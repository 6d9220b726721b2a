"""Health in one word, from what is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.observed.snapshot import BLIND, Collection, Health, Route, RouteShape, State, Target
from reconciler.plan.actions import Progress
from reconciler.status import health
from reconciler.status.parts import Connectivity, Freshness, Lifecycle, Overall
from tests.api import shop

Change = dict[str, Any]

GOOD: Change = {}
SICK: Change = {"health": Health.UNHEALTHY}
STARTING: Change = {"health": Health.STARTING}
UNJUDGED: Change = {"health": Health.UNKNOWN}
EXITED: Change = {"state": State.EXITED, "health": Health.UNKNOWN}
STOPPED: Change = {"state": State.STOPPED, "health": Health.UNKNOWN}
CREATED: Change = {"state": State.CREATED, "health": Health.UNKNOWN}


def seen(*changes: dict) -> list:
    return [shop.instance(shop.WEB, "a", number, **change) for number, change in enumerate(changes)]


CASES = [
    ([], 1, Overall.NOT_DEPLOYED, Lifecycle.NOT_DEPLOYED),
    ([GOOD], 1, Overall.HEALTHY, Lifecycle.RUNNING),
    ([GOOD, GOOD], 2, Overall.HEALTHY, Lifecycle.RUNNING),
    ([GOOD], 2, Overall.DEGRADED, Lifecycle.RUNNING),
    ([GOOD, SICK], 2, Overall.DEGRADED, Lifecycle.DEGRADED),
    ([GOOD, EXITED], 2, Overall.DEGRADED, Lifecycle.DEGRADED),
    ([GOOD, STARTING], 2, Overall.DEGRADED, Lifecycle.RUNNING),
    ([SICK], 1, Overall.UNHEALTHY, Lifecycle.DEGRADED),
    ([EXITED], 1, Overall.UNHEALTHY, Lifecycle.RESTARTING),
    ([STARTING], 1, Overall.STARTING, Lifecycle.STARTING),
    ([CREATED], 1, Overall.STARTING, Lifecycle.STARTING),
    ([UNJUDGED], 1, Overall.UNKNOWN, Lifecycle.RUNNING),
    ([STOPPED], 1, Overall.STOPPED, Lifecycle.STOPPED),
]


@pytest.mark.parametrize(("changes", "wanted", "overall", "lifecycle"), CASES)
def test_a_running_resource(changes: list[dict], wanted: int, overall: Overall, lifecycle: Lifecycle) -> None:
    """Every state of the instances has its word."""
    workload = shop.workload(shop.WEB, replicas=wanted)
    assert health.overall(workload, None, seen(*changes), known=True) is overall
    assert health.lifecycle(workload, None, seen(*changes), known=True) is lifecycle


@pytest.mark.parametrize("changes", [[], [GOOD], [EXITED]])
def test_unknown_is_never_healthy_nor_gone(changes: list[dict]) -> None:
    """An incomplete list proves nothing, whatever is in it."""
    workload = shop.workload(shop.WEB)
    assert health.overall(workload, None, seen(*changes), known=False) is Overall.UNKNOWN
    assert health.lifecycle(workload, None, seen(*changes), known=False) is Lifecycle.UNKNOWN


def test_stopped_on_purpose() -> None:
    """A resource that should not run is stopped once nothing of it does, even after an exit."""
    workload = replace(shop.workload(shop.WEB), running=False)
    assert health.overall(workload, None, seen(EXITED), known=True) is Overall.STOPPED
    assert health.lifecycle(workload, None, seen(EXITED), known=True) is Lifecycle.EXITED
    assert health.overall(workload, None, seen(GOOD), known=True) is Overall.HEALTHY


def test_old_releases_say_nothing() -> None:
    """A stopped rollback candidate makes nothing worse, nor a resource deployed that is not running."""
    old = shop.instance(shop.WEB, "9", **EXITED)
    assert health.overall(shop.workload(shop.WEB), None, [old, *seen(GOOD)], known=True) is Overall.HEALTHY


def test_a_failed_rollout_shows() -> None:
    """While the old release serves it is degraded; with nothing serving it is unhealthy, not starting."""
    failed = Progress(shop.release("a"), 0, failed=True)
    assert health.overall(shop.workload(shop.WEB), failed, seen(GOOD), known=True) is Overall.DEGRADED
    assert health.overall(shop.workload(shop.WEB), failed, seen(STARTING), known=True) is Overall.UNHEALTHY


def test_the_worst_of_many() -> None:
    """What is stopped on purpose hides nothing and spoils nothing."""
    assert health.worst([Overall.HEALTHY, Overall.STOPPED]) is Overall.HEALTHY
    assert health.worst([Overall.STOPPED]) is Overall.STOPPED
    assert health.worst([Overall.HEALTHY, Overall.UNKNOWN, Overall.DEGRADED]) is Overall.DEGRADED
    assert health.worst([]) is Overall.NOT_DEPLOYED


def test_connectivity() -> None:
    """Whole, in part, not at all, never looked at."""
    partly = Target(unknown=frozenset({Collection.JOBS}))
    words = [health.connectivity(target) for target in (Target(), partly, BLIND, None)]
    assert words == [Connectivity.HEALTHY, Connectivity.DEGRADED, Connectivity.UNREACHABLE, Connectivity.UNKNOWN]


@pytest.mark.parametrize(
    ("age", "word"),
    [(0, Freshness.LIVE), (30, Freshness.LIVE), (31, Freshness.RECENT_SAMPLE), (301, Freshness.STALE)],
)
def test_freshness(age: float, word: Freshness) -> None:
    """By age; never looked at is unknown."""
    assert health.freshness(Target(observed_at=1000), now=1000 + age) is word
    assert health.freshness(Target(), now=1000) is Freshness.UNKNOWN


@pytest.mark.parametrize(
    ("served", "words"),
    [
        ("wanted", ("healthy", "running")),
        ("older", ("starting", "starting")),
        ("", ("not-deployed", "not-deployed")),
    ],
)
def test_a_static_site_is_as_healthy_as_its_route(served: str, words: tuple[str, str]) -> None:
    """Nothing runs, so what is served is all there is to judge."""
    workload = shop.workload(shop.WEB)
    name = {"wanted": workload.template.artifact.name, "older": "another"}.get(served)
    shape = RouteShape("site.example", static=name or "")
    routes = {"r": Route("r", shop.WEB, workload.unit, shape=shape)} if name else {}
    assert health.of_site(workload, Target(1.0, routes=routes), known=True) == words

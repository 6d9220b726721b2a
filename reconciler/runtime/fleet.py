"""The targets' drivers: made as targets appear, looked through, kept as long as anything of ours may be there.

The drivers themselves come from a factory that the composition root gives. One look at a target serves every pass
that began before it, and a target that did not answer is asked again only after its backoff, whoever wants to know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.apply.executor import Executor
from reconciler.desired.objects import TargetObject
from reconciler.errors import ReconcilerError, TransientError, Unreachable
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.problem import Position
from reconciler.observed.snapshot import BLIND, Target
from reconciler.ports import Clock, TargetDriver
from reconciler.runtime.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a target gave; ``started`` in monotonic seconds, ``error`` when nothing could be seen."""

    started: float
    target: Target
    error: Exception | None = None


class Post:
    """One target with its driver and its budget of actions."""

    def __init__(self, described: TargetObject, driver: TargetDriver, executor: Executor, clock: Clock) -> None:
        self.described = described
        self.driver = driver
        self.executor = executor
        self._clock = clock
        self._lock = threading.Lock()
        self._last: Look | None = None
        self._failures = 0
        self._due = 0.0

    def look(self, *, since: float, backoff: Backoff) -> Look:
        """A look that began at ``since`` (monotonic seconds) or later; or a failure that still waits for its retry."""
        with self._lock:
            now = self._clock.monotonic()
            if self._last and (self._last.started >= since or (self._last.error and now < self._due)):
                return self._last
            self._last = self._observe(now)
            self._failures = self._failures + 1 if self._last.error else 0
            if self._last.error:
                self._due = now + backoff.delay(self._failures, self._last.error)
            return self._last

    def retry_now(self) -> None:
        """The next look is taken whatever the backoff says."""
        with self._lock:
            self._due = 0.0

    def close(self) -> None:
        self.executor.close()
        self.driver.close()

    def _observe(self, now: float) -> Look:
        try:
            return Look(now, self.driver.observe())
        except ReconcilerError as error:
            return Look(now, _blind(error), error)
        except Exception as error:  # noqa: BLE001 - whatever an adapter raises, its target is unknown and not empty
            strange = TransientError(f"{self.driver.key}: {type(error).__name__}: {error}")
            strange.__cause__ = error
            return Look(now, _blind(strange), strange)


class Fleet:
    """All posts. ``woken`` is called from a driver's thread when something changed on its target."""

    def __init__(
        self,
        driver_for: Callable[[TargetObject], TargetDriver],
        *,
        clock: Clock,
        backoff: Backoff,
        width: int,
        woken: Callable[[ResourceKey], None],
    ) -> None:
        self._driver_for = driver_for
        self._clock = clock
        self._backoff = backoff
        self._width = width
        self._woken = woken
        self._lock = threading.Lock()
        self._wanted: Mapping[ResourceKey, TargetObject] = {}
        self._posts: dict[ResourceKey, Post] = {}

    def sync(self, targets: Mapping[ResourceKey, TargetObject]) -> None:
        """Says what targets there are. Drivers of others, and of those described otherwise, are closed; the first
        look at a target opens its driver."""
        with self._lock:
            self._wanted = targets
            stale = [key for key, post in self._posts.items() if _reach(targets.get(key)) != _reach(post.described)]
            for key in stale:
                self._posts.pop(key).close()

    def look(self, key: ResourceKey, *, since: float) -> Look:
        """What is on a target, seen at ``since`` (monotonic seconds) or later. Never raises: what cannot be seen is
        blind, and the look says why."""
        try:
            post = self._opened(key)
        except Exception as error:  # noqa: BLE001 - one target that cannot be opened leaves the others alone
            return Look(since, _blind(error), error)
        return post.look(since=since, backoff=self._backoff)

    def post(self, key: ResourceKey) -> Post | None:
        """The post of a target that was looked at before."""
        with self._lock:
            return self._posts.get(key)

    def logs(self, target: ResourceKey, instance: str, *, tail: int, follow: bool = False) -> Iterator[str]:
        """A live read: lines of an instance's output, as the driver's port says."""
        post = self.post(target)
        if post is None:
            raise Unreachable(f"{target}: has not been looked at yet; try again when it is Reachable")
        return post.driver.logs(instance, tail=tail, follow=follow)

    def retry_now(self) -> None:
        """Targets that did not answer are asked again at once."""
        with self._lock:
            posts = list(self._posts.values())
        for post in posts:
            post.retry_now()

    def close(self) -> None:
        """Ends supervision everywhere. No workload ends with it."""
        with self._lock:
            posts, self._posts = list(self._posts.values()), {}
        for post in posts:
            post.close()

    def _opened(self, key: ResourceKey) -> Post:
        with self._lock:
            if key not in self._wanted:
                raise Unreachable(f"{key}: nothing says how to reach it; declare it again")
            if key not in self._posts:
                self._posts[key] = self._open(self._wanted[key])
            return self._posts[key]

    def _open(self, described: TargetObject) -> Post:
        driver = self._driver_for(described)
        driver.watch(lambda: self._woken(described.key))
        return Post(described, driver, Executor(driver, self._clock, width=self._width), self._clock)


def _blind(error: Exception) -> Target:
    return replace(BLIND, trouble=str(error))


def _reach(described: TargetObject | None) -> TargetObject | None:
    """What a driver is made from: where the manifest stands, and by whom it was declared, changes nothing."""
    return replace(described, source="", place=Position(""), lifecycle="active") if described else None

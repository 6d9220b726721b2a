"""What is shown and what was made of it: the picture of one edition, and bodies and pages that are made once each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from reconciler.api.answers import Rendered, render
from reconciler.api.board import Surface
from reconciler.api.endpoints import Endpoint, FromPicture, FromSurface
from reconciler.api.queries import Query
from reconciler.api.streams import Places
from reconciler.status.health import LIVE_SECONDS, freshness
from reconciler.status.presenting.picture import Picture, picture
from reconciler.status.published import Published

CACHED_BODIES = 512


@dataclass(slots=True)
class Shelf:
    """The bodies of one serial, made once each. Another serial, or an observation that ages, empties it."""

    surface: Surface
    closing: threading.Event = field(default_factory=threading.Event)  # set when the listener ends
    streams: Places = field(init=False)
    watchers: Places = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _edition: str = ""
    _picture: Picture | None = None
    _bodies: dict[str, Rendered] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams = Places(self.surface.limits.streams)
        self.watchers = Places(self.surface.limits.watchers)

    def edition(self) -> str:
        """The name of what is published now; cheap enough to be asked for all the time."""
        return _edition(self.surface.board.published(), self.surface.clock.now())

    def picture(self) -> tuple[str, Picture]:
        """What is published, and the name of this edition of it."""
        published, now = self.surface.board.published(), self.surface.clock.now()
        edition = _edition(published, now)
        with self._lock:
            if self._picture is None or edition != self._edition:
                self._picture, self._edition, self._bodies = picture(published, now=now), edition, {}
            return edition, self._picture

    def body(self, endpoint: Endpoint, query: Query, name: str) -> Rendered:
        edition, shown = self.picture()
        if endpoint.live:
            made = cast("FromSurface", endpoint.build)(self.surface, shown, query)
            return render(made, redact=self.surface.redact)
        identity = f"{edition} {name}"
        build = cast("FromPicture", endpoint.build)
        return self.kept(identity, lambda: render(build(shown, query), redact=self.surface.redact, identity=identity))

    def kept(self, identity: str, make: Callable[[], Rendered]) -> Rendered:
        """What was made under this name, which begins with the edition; made now if it is not there."""
        with self._lock:
            found = self._bodies.get(identity)
        return found or self._keep(identity, make())

    def _keep(self, identity: str, rendered: Rendered) -> Rendered:
        with self._lock:
            if len(self._bodies) >= CACHED_BODIES:
                self._bodies.clear()
            if identity.startswith(self._edition):
                self._bodies[identity] = rendered
        return rendered


def _edition(published: Published, now: float) -> str:
    """Names what a body depends on: this life of the daemon, its serial, and how old its observations look. A fresher
    look at the same things keeps the serial: the time that is shown for it is at most ``LIVE_SECONDS`` behind."""
    ages = ",".join(
        f"{freshness(target, now=now)}{int(target.observed_at // LIVE_SECONDS)}"
        for _, target in sorted(published.snapshot.items())
    )
    return f"{published.instance_id}/{published.started_at}/{published.serial}/{ages}"

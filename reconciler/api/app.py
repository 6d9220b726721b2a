"""The application: routes, the cache of rendered bodies, and nothing that decides what is said."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.api import index, openapi, streams
from reconciler.api.access import Access
from reconciler.api.answers import Refused, Rendered, answer, refusal, render
from reconciler.api.board import Surface
from reconciler.api.endpoints import ENDPOINTS, Endpoint, FromPicture, FromSurface
from reconciler.api.queries import Query, parse
from reconciler.api.records import chosen_instances
from reconciler.status.health import LIVE_SECONDS, freshness
from reconciler.status.presenting.picture import Picture, picture
from reconciler.status.published import Published

CACHED_BODIES = 512
Handler = Callable[[Request], Awaitable[Response]]


def create_app(surface: Surface) -> ASGIApp:
    """The whole status listener."""
    shelf = Shelf(surface)
    routes = [
        Route("/", _index),
        Route("/healthz", _alive),
        Route("/livez", _alive),
        Route("/readyz", _ready(surface)),
        Route("/metrics", _metrics(surface)),
        Route("/openapi.json", _openapi),
        *(Route(endpoint.path, _handler(endpoint, shelf)) for endpoint in ENDPOINTS),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _defect})
    app.router.redirect_slashes = False
    return Access(app, token=surface.token)


# --- what is shown ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Shelf:
    """The bodies of one serial, made once each. Another serial, or an observation that ages, empties it."""

    surface: Surface
    streams: streams.Places = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _edition: str = ""
    _picture: Picture | None = None
    _bodies: dict[str, Rendered] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams = streams.Places(self.surface.limits.streams)

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
        with self._lock:
            found = self._bodies.get(identity)
        if found is None:
            made = cast("FromPicture", endpoint.build)(shown, query)
            found = self._keep(identity, render(made, redact=self.surface.redact, identity=identity))
        return found

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


# --- handlers ---------------------------------------------------------------------------------------------------------


def _handler(endpoint: Endpoint, shelf: Shelf) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            query = _query(endpoint, request)
            if endpoint.stream and _wants_stream(request, query):
                return await _stream(shelf, request, query)
            name = f"{request.url.path}?{sorted(query.values.items())}"
            return answer(request, await run_in_threadpool(shelf.body, endpoint, query, name))
        except Refused as refused:
            return refusal(refused)

    return handle


def _query(endpoint: Endpoint, request: Request) -> Query:
    values, faults = parse(endpoint.parameters, request.query_params.multi_items())
    if faults:
        raise Refused(400, f"{len(faults)} of the parameters cannot be used", faults)
    return Query(values, request.path_params)


def _wants_stream(request: Request, query: Query) -> bool:
    return "text/event-stream" in request.headers.get("accept", "") or query.text("follow") == "true"


async def _stream(shelf: Shelf, request: Request, query: Query) -> Response:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no", "vary": "Accept, Authorization"}
    logs = request.url.path.endswith("/logs")
    if logs:
        _, shown = await run_in_threadpool(shelf.picture)
        key, instances = chosen_instances(shown, query)
        body = streams.logs(shelf.surface, key, instances, tail=query.number("tail"))
    else:
        last = request.headers.get("last-event-id", "")
        body = streams.events(shelf.surface, query, last=int(last) if last.isdecimal() else None)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=headers)
    shelf.streams.take()
    return _Stream(body, shelf.streams, headers=headers)


class _Stream(StreamingResponse):
    """Gives its place back however it ends."""

    def __init__(self, body: AsyncIterator[bytes], places: streams.Places, *, headers: dict[str, str]) -> None:
        super().__init__(body, media_type="text/event-stream", headers=headers)
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.give()


async def _index(_request: Request) -> Response:
    return HTMLResponse(index.PAGE)


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _ready(surface: Surface) -> Handler:
    async def ready(_request: Request) -> Response:
        """Not before every unit has had a pass since the start."""
        settled = surface.board.published().settled
        status = {"status": "ok"} if settled else {"status": "starting: not every unit has had a pass yet"}
        return JSONResponse(status, status_code=200 if settled else 503)

    return ready


def _metrics(surface: Surface) -> Handler:
    async def metrics(_request: Request) -> Response:
        content = await run_in_threadpool(surface.metrics)
        return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

    return metrics


async def _openapi(_request: Request) -> Response:
    return Response(openapi.committed(), media_type="application/json")


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(Refused(status, "there is nothing here: see / or /openapi.json" if status == 404 else "refused"))


async def _defect(_request: Request, _error: Exception) -> Response:
    """The traceback goes to the log; an answer never says more than that it failed."""
    return refusal(Refused(500, "this read failed: the daemon's log says why"))

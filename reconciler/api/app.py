"""The application: routes, how each is answered or refused, and nothing that decides what is said."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reconciler.api import openapi, streams
from reconciler.api.access import Access
from reconciler.api.answers import Refused, answer, refusal
from reconciler.api.board import Surface
from reconciler.api.dashboard import routes as dashboard
from reconciler.api.endpoints import ENDPOINTS, Endpoint
from reconciler.api.queries import Query, parse
from reconciler.api.records import chosen_outputs
from reconciler.api.shelf import Shelf

Handler = Callable[[Request], Awaitable[Response]]


def create_app(surface: Surface, *, closing: threading.Event | None = None) -> ASGIApp:
    """The whole status listener. Setting ``closing`` ends its open streams."""
    shelf = Shelf(surface, closing or threading.Event())
    routes = [
        Route("/healthz", _alive),
        Route("/livez", _alive),
        Route("/readyz", _ready(surface)),
        Route("/metrics", _metrics(surface)),
        Route("/openapi.json", _openapi),
        *dashboard.routes(shelf),
        *(Route(endpoint.path, _handler(endpoint, shelf)) for endpoint in ENDPOINTS),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _http_error(shelf), Exception: _defect})
    app.router.redirect_slashes = False
    return Access(app, token=surface.token)


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
        key, outputs = chosen_outputs(shown, query)
        body = streams.logs(shelf.surface, key, outputs, tail=query.number("tail"))
    else:
        last = request.headers.get("last-event-id", "")
        body = streams.events(shelf.surface, query, last=int(last) if last.isdecimal() else None, closing=shelf.closing)
    if request.method == "HEAD":
        return Response(media_type=streams.MEDIA_TYPE, headers=headers)
    shelf.streams.take()
    return streams.Stream(body, shelf.streams, headers=headers)


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


def _http_error(shelf: Shelf) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = "there is nothing here: see / or /openapi.json" if status == 404 else "refused"
        refused = Refused(status, detail)
        if dashboard.wants_page(request):
            return await run_in_threadpool(dashboard.refusal, shelf, request, refused)
        return refusal(refused)

    return http_error


async def _defect(_request: Request, _error: Exception) -> Response:
    """The traceback goes to the log; an answer never says more than that it failed."""
    return refusal(Refused(500, "this read failed: the daemon's log says why"))

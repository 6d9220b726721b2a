"""Which pages there are, what may be asked of each, and how they answer: whole pages, with an ETag, or a refusal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.api import streams
from reconciler.api.answers import Refused, Rendered, answer
from reconciler.api.board import Surface
from reconciler.api.dashboard import assets, lists, overview, rendering, resource, standing
from reconciler.api.endpoints import CURSOR, ENDPOINTS, ENVIRONMENT, HEALTH, IN, PROJECT, RESOURCE
from reconciler.api.queries import Parameter, Query, parse
from reconciler.api.shelf import Shelf
from reconciler.status.health import LIVE_SECONDS
from reconciler.status.presenting.picture import Picture

HTML = "text/html; charset=utf-8"
FOREVER = "public, max-age=31536000, immutable"
EVENTS_A_PAGE = 100
TIME_TEXT = re.compile(rb"(<time[^>]*>)[^<]*")
NOW = re.compile(rb' data-now="[^"]*"')
Build = Callable[[Surface, Picture, Query], object]


@dataclass(frozen=True, slots=True)
class Page:
    """``build`` makes what the template shows. A ``live`` page depends on more than what is published, and is made for
    every request; the others once for each edition, query and half minute (their ages are counted on the server)."""

    path: str
    template: str
    build: Build
    parameters: tuple[Parameter, ...] = ()
    live: bool = False
    defaults: dict[str, str | int] = field(default_factory=dict)


SCOPE = (PROJECT, ENVIRONMENT)
OTHERS = (
    ("/healthz", "The daemon answers"),
    ("/livez", "The daemon is alive"),
    ("/readyz", "Every unit has had a pass"),
    ("/metrics", "Numbers for Prometheus"),
    ("/openapi.json", "All of this, described for programs"),
)
PAGES = (
    Page("/", "overview.html", lambda _, picture, query: overview.overview(picture, query), (*SCOPE, HEALTH)),
    Page("/resources/{project}/{name}", "resource.html", resource.resource, (IN,), live=True),
    Page("/plan", "plan.html", lambda _, picture, query: lists.plan(picture, query), SCOPE),
    Page(
        "/events", "events.html", lists.events,
        (
            *SCOPE, RESOURCE, Parameter("type", "Only of this type."),
            Parameter("window", "Only of this time.", choices=tuple(lists.WINDOWS)),
            Parameter("cursor", CURSOR.description, pattern="[0-9]{1,18}"),
        ),
        live=True, defaults={"limit": EVENTS_A_PAGE},
    ),
    Page("/targets", "targets.html", lists.targets, live=True),
    Page("/sources", "sources.html", lambda _, picture, query: lists.source_states(picture, query)),
    Page("/doctor", "doctor.html", lists.doctor_checks, live=True),
    Page("/api", "surface.html", lambda *_: {"endpoints": ENDPOINTS, "others": OTHERS}),
)  # fmt: skip


def routes(shelf: Shelf) -> list[Route]:
    """All of the dashboard."""
    pages = [Route(page.path, _handler(page, shelf)) for page in PAGES]
    return [*pages, Route("/live", _live(shelf)), Route("/static/{name}", _asset)]


# --- pages ------------------------------------------------------------------------------------------------------------


def _handler(page: Page, shelf: Shelf) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            rendered = await run_in_threadpool(_made, page, shelf, request)
            return answer(request, rendered, media_type=HTML)
        except Refused as refused:
            return await run_in_threadpool(refusal, shelf, request, refused)

    return handle


def _made(page: Page, shelf: Shelf, request: Request) -> Rendered:
    values, faults = parse(page.parameters, request.query_params.multi_items())
    if faults:
        raise Refused(400, "this address cannot be used", faults)
    query = Query(page.defaults | values, request.path_params)
    edition, picture = shelf.picture()
    now = shelf.surface.clock.now()

    def make() -> Rendered:
        shown = page.build(shelf.surface, picture, query)
        return _render(page.template, shelf, picture, now, here=_here(request), path=page.path, shown=shown)

    half_minute = int(now // LIVE_SECONDS)
    return make() if page.live else shelf.kept(f"{edition} {half_minute} page {_here(request)}", make)


def _here(request: Request) -> str:
    """The address of this page, to be fetched again."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _render(template: str, shelf: Shelf, picture: Picture, now: float, **values: object) -> Rendered:
    """A page and its ETag, which leaves out what only says how much time went by within the same half minute."""
    content = rendering.page(
        template,
        redact=shelf.surface.redact,
        now=datetime.fromtimestamp(now, tz=UTC),
        standing=standing.standing(picture),
        **values,
    )
    timeless = TIME_TEXT.sub(rb"\1", NOW.sub(b"", content)) + str(int(now // LIVE_SECONDS)).encode()
    return Rendered(content, f'"{hashlib.blake2b(timeless, digest_size=12).hexdigest()}"')


def refusal(shelf: Shelf, request: Request, refused: Refused) -> Response:
    """What a person sees instead of a page; where a name is in several environments, it leads to each."""
    _, picture = shelf.picture()
    name, project = request.path_params.get("name", ""), request.path_params.get("project", "")
    choices = resource.siblings(picture, project, name) if project and refused.status in {404, 409} else ()
    title = "In several environments" if refused.status == 409 else HTTPStatus(refused.status).phrase
    rendered = _render(
        "refusal.html", shelf, picture, shelf.surface.clock.now(), here="/", path="", choices=choices,
        status=refused.status, title=title, detail=refused.detail, faults=refused.faults,
    )  # fmt: skip
    headers = {"cache-control": "no-store"} | ({"retry-after": "5"} if refused.status == 503 else {})
    return Response(rendered.content, status_code=refused.status, media_type=HTML, headers=headers)


def wants_page(request: Request) -> bool:
    """Whether it is a browser that asks, and not a program."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


# --- what belongs to them ---------------------------------------------------------------------------------------------


async def _asset(request: Request) -> Response:
    asset = assets.BY_NAME.get(request.path_params["name"])
    if asset is None:
        return Response("there is no such file\n", status_code=404, media_type="text/plain")
    return Response(asset.content, media_type=asset.media_type, headers={"cache-control": FOREVER})


def _live(shelf: Shelf) -> Callable[[Request], Awaitable[Response]]:
    async def live(request: Request) -> Response:
        """Says when there is another edition; what is new is read from the page itself."""
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", "vary": "Authorization"}
        if request.method == "HEAD":
            return Response(media_type=streams.MEDIA_TYPE, headers=headers)
        try:
            shelf.watchers.take()
        except Refused as refused:
            return await run_in_threadpool(refusal, shelf, request, refused)
        body = streams.editions(shelf.edition, shelf.surface.limits, closing=shelf.closing)
        return streams.Stream(body, shelf.watchers, headers=headers)

    return live

"""From a body to bytes: redacted, serialised once, with an ETag; and the answers that are refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from reconciler.status.parts import Body
from reconciler.status.views import Fault, ProblemBody

JSON = "application/json"
PROBLEM = "application/problem+json"


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, status: int, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults = status, detail, tuple(faults)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body ready to send; ``etag`` is quoted."""

    content: bytes
    etag: str


def render(body: Body, *, redact: Callable[[str], str], identity: str = "") -> Rendered:
    """``identity`` names the body (for one that depends on a serial only); else its content does, without its date."""
    tree = body.model_dump(mode="json")
    content = encoded(_redacted(tree, redact))
    if not identity:
        identity = orjson.dumps({k: v for k, v in tree.items() if k != "generatedAt"}).decode()
    digest = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
    return Rendered(content, f'"{digest}"')


def encoded(value: object) -> bytes:
    """JSON in which no markup stands: whatever takes it for a page finds none."""
    content = orjson.dumps(value)
    return content.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")


def _redacted(value: object, redact: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): _redacted(inner, redact) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, redact) for inner in value]
    return value


def answer(request: Request, rendered: Rendered, *, media_type: str = JSON) -> Response:
    """The body, or 304 when the client has it already."""
    vary = "Accept, Authorization" if media_type == JSON else "Authorization"
    headers = {"etag": rendered.etag, "cache-control": "no-cache", "vary": vary}
    if matches(request.headers.get("if-none-match", ""), rendered.etag):
        return Response(status_code=304, headers=headers)
    return Response(rendered.content, media_type=media_type, headers=headers)


def matches(header: str, etag: str) -> bool:
    """If-None-Match, compared weakly."""
    given = {part.strip().removeprefix("W/") for part in header.split(",")}
    return etag in given or "*" in given


def refusal(refused: Refused) -> Response:
    headers = {"cache-control": "no-store"} | ({"retry-after": "5"} if refused.status == 503 else {})
    content = problem(refused.status, refused.detail, refused.faults)
    return Response(content, status_code=refused.status, media_type=PROBLEM, headers=headers)


def problem(status: int, detail: str, faults: Sequence[Fault] = ()) -> bytes:
    """The body of a refusal (RFC 9457)."""
    said = ProblemBody(title=HTTPStatus(status).phrase, status=status, detail=detail, faults=tuple(faults))
    return encoded(said.model_dump(mode="json"))

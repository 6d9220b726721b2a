"""Who may ask, and how: the outermost layer, before any route is looked at.

Reading only. Without a token only direct requests from this machine are answered; a browser that was led here by a
foreign name (DNS rebinding), and anything a proxy passed on, is refused. The three health routes are open to all.

Programs send the token as Bearer. A browser cannot be told to: it asks its person for a password (Basic), and the token
is that password, whatever the name beside it. Only pages offer this, so that no program is led to guess.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.api.answers import PROBLEM, problem

OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz"})
METHODS = frozenset({"GET", "HEAD"})
ALLOW = "GET, HEAD"

FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"})

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    b" form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", POLICY),
)
CHALLENGE = b"Bearer"
CHALLENGE_FOR_PEOPLE = b'Basic realm="reconciler: the token is the password", charset="UTF-8"'


class Access:
    """Wraps the application. ``token`` "" means that none is configured."""

    def __init__(self, app: ASGIApp, *, token: str = "") -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _guarded(send, head=scope["method"] == "HEAD")
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, answer)
        else:
            await _refuse(answer, *refused, pages=_is_page(scope["path"]))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and detail of what stands against this request."""
        if scope["method"] not in METHODS:
            return 405, f"this listener only reads: {ALLOW}; changes are commits"
        if scope["path"] in OPEN_PATHS:
            return None
        headers = Headers(scope=scope)
        if self._token and self._authorized(headers):
            return None
        return self._without_token(scope, headers)

    def _authorized(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        offered = {"bearer": given.strip().encode(), "basic": _password(given)}.get(scheme.lower())
        return offered is not None and hmac.compare_digest(offered, self._token)

    def _without_token(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        refused = 401 if self._token else 403
        if "authorization" in headers and self._token:
            return refused, "the token is not the configured one"
        if forwarded(headers):
            return refused, "a forwarded request needs the token (Authorization: Bearer)"
        client = scope.get("client")
        if not client or not is_loopback(client[0]):
            return refused, "a request from another machine needs the token (Authorization: Bearer)"
        if not is_loopback_host(headers.get("host", "")):
            return 403, "the Host header names another machine than this one"
        return None


def _password(given: str) -> bytes | None:
    """The password of Basic credentials; None when they cannot be read."""
    try:
        decoded = base64.b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded.partition(b":")[2]


def _is_page(path: str) -> bool:
    return not path.startswith("/api/") and path not in {"/metrics", "/openapi.json"}


def forwarded(headers: Headers) -> bool:
    """Whether a proxy passed this on."""
    return any(name in FORWARDING or name.startswith("x-forwarded-") for name in headers)


def is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def is_loopback_host(header: str) -> bool:
    """Whether a Host header can only mean this machine; the port does not matter."""
    host = header.strip().lower()
    if host.startswith("["):
        host, _, _ = host[1:].partition("]")
    elif host.count(":") == 1:
        host, _, _ = host.partition(":")
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


def _guarded(send: Send, *, head: bool) -> Send:
    """Adds the headers that every answer has; an answer to HEAD has no body."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
        elif head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return guarded


async def _refuse(send: Send, status: int, detail: str, *, pages: bool) -> None:
    body = problem(status, detail)
    headers = [(b"content-type", PROBLEM.encode()), (b"content-length", str(len(body)).encode())]
    if status == 405:
        headers.append((b"allow", ALLOW.encode()))
    if status == 401:
        headers.append((b"www-authenticate", CHALLENGE))
        headers += [(b"www-authenticate", CHALLENGE_FOR_PEOPLE)] if pages else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

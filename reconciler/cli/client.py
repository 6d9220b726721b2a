"""Asks the daemon's status endpoint. Standard library only: a read verb starts fast, and no proxy comes between."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from reconciler.errors import InvalidInput, Unreachable

DEFAULT_URL = "http://127.0.0.1:7780"
PAGE = 500
TIMEOUT = 30.0

Answer = dict[str, Any]
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Client:
    """``timeout`` is in seconds, between two pieces of an answer."""

    url: str = DEFAULT_URL
    token: str = field(default="", repr=False)
    timeout: float = TIMEOUT

    def get(self, path: str, query: Query | None = None) -> Answer:
        """One body. Raises ``Unreachable`` without a daemon, ``InvalidInput`` when it refuses."""
        with self._asked(path, query or {}, accept="application/json") as answer:
            return _object(answer.read())

    def items(self, path: str, query: Query | None = None, *, most: int | None = None) -> list[Answer]:
        """All pages of a list, or its first ``most`` items."""
        found: list[Answer] = []
        asked: dict[str, str | int] = {**(query or {}), "limit": min(PAGE, most or PAGE)}
        while most is None or len(found) < most:
            body = self.get(path, asked)
            found += body["items"]
            if not body.get("nextCursor"):
                break
            asked["cursor"] = body["nextCursor"]
        return found[:most]

    def stream(self, path: str, query: Query | None = None) -> Iterator[tuple[str, Answer]]:
        """Server-sent events as (kind, data), until the daemon or the caller ends it."""
        with self._asked(path, query or {}, accept="text/event-stream") as answer:
            kind = ""
            for line in answer:
                name, _, text = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = text
                elif name == "data":
                    yield kind, _object(text.encode())

    @contextmanager
    def _asked(self, path: str, query: Query, *, accept: str) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        given = {name: value for name, value in query.items() if value != ""}
        target = f"{urlsplit(self.url).path.rstrip('/')}/api/v1/{path}{'?' + urlencode(given) if given else ''}"
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise _refused(answer.status, answer.read())
            yield answer
        except (OSError, http.client.HTTPException) as failed:
            raise Unreachable(
                f"no daemon answers at {self.url} ({_reason(failed)}): start one with `reconciler run`, "
                "or say where it is with RECONCILER_URL"
            ) from failed
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.netloc, timeout=self.timeout, context=context)
        if parts.scheme == "http" and parts.netloc:
            return http.client.HTTPConnection(parts.netloc, timeout=self.timeout)
        raise InvalidInput(f"RECONCILER_URL: {self.url!r} is not an address such as {DEFAULT_URL}")


def client(*, timeout: float = TIMEOUT) -> Client:
    """As the environment says."""
    environment = os.environ
    return Client(
        url=environment.get("RECONCILER_URL") or DEFAULT_URL,
        token=environment.get("RECONCILER_TOKEN", ""),
        timeout=timeout,
    )


def segment(text: str) -> str:
    """A name as a part of a path."""
    return quote(text, safe="")


def _object(content: bytes) -> Answer:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("the answer is not from a reconciler: check RECONCILER_URL")
    return found


def _reason(failed: BaseException) -> str:
    return (getattr(failed, "strerror", None) or str(failed) or type(failed).__name__).lower()


def _refused(status: int, content: bytes) -> InvalidInput:
    try:
        said = _object(content)
    except InvalidInput as foreign:
        return foreign
    faults = "".join(f"\n  {f['parameter']}: {f['message']}" for f in said.get("faults", ()))
    hint = "; set RECONCILER_TOKEN" if status in {401, 403} else ""
    return InvalidInput(f"{said.get('detail', f'status {status}')}{hint}{faults}")

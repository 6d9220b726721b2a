"""Server-sent events: what happens as it happens, and output as it is printed.

Envelopes are ``event``, ``heartbeat``, ``gap`` (some were missed: read the list), ``error`` and ``closed``. How many
streams there are is bounded; a stream costs a look at memory every poll, and a thread only while it follows a log.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from reconciler.api.answers import Refused, encoded
from reconciler.api.board import Limits, Surface
from reconciler.api.queries import Query
from reconciler.api.records import Output, matches_scope
from reconciler.errors import ReconcilerError
from reconciler.manifests.identity import ResourceKey
from reconciler.status.presenting import history
from reconciler.status.records import Event

MEDIA_TYPE = "text/event-stream"
BATCH = 200
QUEUE = 1000
OPEN = threading.Event()  # never set


@dataclass(slots=True)
class Places:
    """How many streams may be open at once."""

    free: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        with self.lock:
            if self.free <= 0:
                raise Refused(503, "too many streams are open: close one, or read the list instead")
            self.free -= 1

    def give(self) -> None:
        with self.lock:
            self.free += 1


class Stream(StreamingResponse):
    """Gives its place back however it ends."""

    def __init__(self, body: AsyncIterator[bytes], places: Places, *, headers: dict[str, str]) -> None:
        super().__init__(body, media_type=MEDIA_TYPE, headers=headers)
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.give()


def envelope(kind: str, data: object, *, id: str = "") -> bytes:
    """One server-sent event; its data is one line of JSON."""
    lines = [f"id: {id}".encode()] if id else []
    return b"\n".join([*lines, f"event: {kind}".encode(), b"data: " + encoded(data), b"", b""])


def redacted(surface: Surface, data: dict[str, object]) -> dict[str, object]:
    return {key: surface.redact(value) if isinstance(value, str) else value for key, value in data.items()}


# --- events -----------------------------------------------------------------------------------------------------------


async def events(
    surface: Surface, query: Query, *, last: int | None, closing: threading.Event = OPEN
) -> AsyncIterator[bytes]:
    """Those after event ``last`` (None: only new ones), oldest first, until nobody listens or ``closing`` is set."""
    seen = await run_in_threadpool(_newest, surface) if last is None else last
    yield envelope("heartbeat", {"lastEventId": seen})
    quiet = 0.0
    while not closing.is_set():
        new = await run_in_threadpool(_after, surface, query, seen)
        if len(new) >= BATCH:
            yield envelope("gap", {"after": seen, "before": new[0].id})
        for happened in new:
            data = redacted(surface, history.event(happened).model_dump(mode="json"))
            yield envelope("event", data, id=str(happened.id))
            seen = happened.id
        quiet = 0.0 if new else quiet + surface.limits.poll
        if quiet >= surface.limits.heartbeat:
            quiet = 0.0
            yield envelope("heartbeat", {"lastEventId": seen})
        await asyncio.sleep(surface.limits.poll)


def _newest(surface: Surface) -> int:
    return max((e.id for e in surface.history.events(limit=1)), default=0)


def _after(surface: Surface, query: Query, seen: int) -> list[Event]:
    """In scope and newer than ``seen``, oldest first; ``BATCH`` of them means that older ones were passed over."""
    read = surface.history.events(type=query.text("type"), since=float(query.number("since")), limit=BATCH)
    return sorted((e for e in read if e.id > seen and matches_scope(query, e.key)), key=lambda e: e.id)


# --- editions ---------------------------------------------------------------------------------------------------------


async def editions(
    edition: Callable[[], str], limits: Limits, *, closing: threading.Event = OPEN
) -> AsyncIterator[bytes]:
    """``published`` at once, and again whenever what is published has another name; ends when the listener does."""
    seen, quiet = "", 0.0
    while not closing.is_set():
        now = edition()
        quiet = 0.0 if now != seen else quiet + limits.poll
        if now != seen:
            seen = now
            yield envelope("published", {})
        if quiet >= limits.heartbeat:
            quiet = 0.0
            yield envelope("heartbeat", {})
        await asyncio.sleep(limits.poll)


# --- logs -------------------------------------------------------------------------------------------------------------


async def logs(surface: Surface, key: ResourceKey, outputs: list[Output], *, tail: int) -> AsyncIterator[bytes]:
    """Lines of all instances as they come; ends when every program has."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=QUEUE)
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    for output in outputs:
        pump = _Pump(surface, output, tail, lines, stop, loop)
        threading.Thread(target=pump.run, name=f"follow-{output.name}", daemon=True).start()
    open_pumps = len(outputs)
    try:
        yield envelope("heartbeat", {"resource": str(key), "instances": [output.name for output in outputs]})
        while open_pumps:
            try:
                line = await asyncio.wait_for(lines.get(), surface.limits.heartbeat)
            except TimeoutError:
                yield envelope("heartbeat", {"resource": str(key)})
                continue
            open_pumps -= line is None
            if line is not None:
                yield line
        yield envelope("closed", {"reason": "nothing more is printed"})
    finally:
        stop.set()


@dataclass(frozen=True, slots=True)
class _Pump:
    """Carries one instance's lines from a blocking reader to the stream; waits when the listener is slow."""

    surface: Surface
    output: Output
    tail: int
    lines: asyncio.Queue[bytes | None]
    stop: threading.Event
    loop: asyncio.AbstractEventLoop

    def run(self) -> None:
        try:
            reader = self.surface.logs.logs(self.output.target, self.output.name, tail=self.tail, follow=True)
            self._carry(reader)
        except ReconcilerError as failed:
            self._put(envelope("error", redacted(self.surface, {"instance": self.output.name, "text": str(failed)})))
        finally:
            self._put(None)

    def _carry(self, reader: Iterator[str]) -> None:
        for text in reader:
            if self.stop.is_set():
                break
            if text:
                said = {"instance": self.output.name, "text": text.rstrip("\r\n")}
                self._put(envelope("event", redacted(self.surface, dict(said))))
        close = getattr(reader, "close", None)
        if close is not None:
            close()

    def _put(self, line: bytes | None) -> None:
        """Never waits for a listener that has left."""
        while not self.stop.is_set() and not self.loop.is_closed():
            waiting = asyncio.run_coroutine_threadsafe(self.lines.put(line), self.loop)
            try:
                waiting.result(timeout=1.0)
            except TimeoutError:
                if waiting.cancel():
                    continue
            return

"""A constant load of requests, half over kept connections and half over new ones, and what became of each.

A request on a fresh connection that was refused or reset before any answer is tried once more, as any client would;
so is one on a kept connection that was closed meanwhile. Both are counted: nothing is hidden.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

WORKERS = 16
DEADLINE = 15.0  # seconds for one request


@dataclass
class Load:
    """Requests to ``path`` of ``host`` at ``port`` of this machine, ``rate`` a second, from ``begin`` to ``end``."""

    port: int
    host: str
    path: str = "/"
    rate: float = 250.0
    bodies: Counter = field(default_factory=Counter)  # first words of answers that were 200
    errors: list[str] = field(default_factory=list)  # requests that a person would have seen fail
    resets: list[str] = field(default_factory=list)  # connections that were tried again
    latencies: list[float] = field(default_factory=list)

    def begin(self) -> Load:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="load")
        self._began = time.monotonic()
        self._thread.start()
        return self

    def end(self) -> Load:
        self._stop.set()
        self._thread.join()
        self.seconds = time.monotonic() - self._began
        return self

    @property
    def done(self) -> int:
        return len(self.latencies)

    def figures(self) -> str:
        ordered = sorted(self.latencies) or [0.0]
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        return (
            f"{self.done} requests, {self.done / self.seconds:.0f}/s, {len(self.errors)} errors, "
            f"{len(self.resets)} raw resets, p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {ordered[-1] * 1000:.0f} ms"
        )

    async def _all(self) -> None:
        await asyncio.gather(*(self._worker(n) for n in range(WORKERS)))

    async def _worker(self, number: int) -> None:
        kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        pause, due = WORKERS / self.rate, time.monotonic() + number / self.rate
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += pause
            began = time.monotonic()
            try:
                kept = await asyncio.wait_for(self._request(kept if number % 2 else None), DEADLINE)
            except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                kept = None
            self.latencies.append(time.monotonic() - began)
            if number % 2 == 0 and kept is not None:
                kept[1].close()
                kept = None
        if kept is not None:
            kept[1].close()

    async def _request(self, kept):
        if kept is not None:
            try:
                return await self._asked(*kept)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.resets.append(f"kept: {type(error).__name__}")
        try:
            return await self._asked(*await asyncio.open_connection("127.0.0.1", self.port))
        except (OSError, asyncio.IncompleteReadError) as error:
            self.resets.append(f"new: {type(error).__name__}")
        return await self._asked(*await asyncio.open_connection("127.0.0.1", self.port))

    async def _asked(self, reader, writer):
        """The connection if it may be kept. Raises ``IncompleteReadError`` only when not a byte was answered."""
        try:
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            fields = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
            body = await reader.readexactly(int(fields["content-length"]))
        except BaseException:
            writer.close()
            raise
        self._judge(int(lines[0].split()[1]), body.decode())
        if fields.get("connection", "").lower() == "close":
            writer.close()
            return None
        return reader, writer

    def _judge(self, status: int, body: str) -> None:
        if status == 200:
            self.bodies[body.split(maxsplit=1)[0]] += 1
        else:
            self.errors.append(f"{status}: {body[:80]}")

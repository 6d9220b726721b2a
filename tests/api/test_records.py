"""What the ledger and the programs say: events, deployments, logs, and both as streams."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest
from starlette.testclient import TestClient

from reconciler.api import records, streams
from reconciler.api.answers import Refused
from reconciler.api.queries import Query
from reconciler.api.records import Output, chosen_outputs
from reconciler.desired.names import instance_name
from reconciler.plan.actions import Progress
from reconciler.status.presenting.picture import picture
from tests.api import shop


def numbers(client: TestClient, query: str = "") -> list[int]:
    return [item["id"] for item in client.get(f"/api/v1/events?{query}").json()["items"]]


def test_events_are_newest_first(client: TestClient) -> None:
    """Descending, all of them."""
    assert numbers(client) == list(range(12, 0, -1))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resource=worker", [12, 9, 6, 3]),
        ("project=shop&resource=worker&environment=production", [12, 9, 6, 3]),
        ("type=instance-exited&limit=2", [12, 9]),
        ("environment=staging", []),
        (f"since={int(shop.NOW) - 1000 + 11}", [12, 11]),
    ],
)
def test_events_are_filtered(client: TestClient, query: str, expected: list[int]) -> None:
    """By resource, environment, type and time."""
    assert numbers(client, query) == expected


def test_event_pages_add_up(client: TestClient) -> None:
    """A filtered list read two at a time has every record once and ends."""
    found, cursor = [], "99"
    while cursor:
        body = client.get(f"/api/v1/events?resource=worker&limit=2&cursor={cursor}").json()
        found += [item["id"] for item in body["items"]]
        cursor = body["nextCursor"]
    assert found == [12, 9, 6, 3]


def test_a_scarce_filter_reads_a_bounded_part(connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searching a long ledger ends after some batches, and the next page goes on where this one stopped."""
    monkeypatch.setattr(records, "SCAN", 4)
    monkeypatch.setattr(records, "BATCHES", 2)
    client = connect(history=shop.Book(shop.events(20)))
    body = client.get("/api/v1/events?environment=staging").json()
    assert (body["items"], body["nextCursor"]) == ([], "13")


def test_deployments(client: TestClient) -> None:
    """Newest first, by status; one of them with what was applied, masked."""
    listed = client.get("/api/v1/deployments").json()["items"]
    assert [d["id"] for d in listed] == ["d-3", "d-2", "d-1"]
    assert [d["id"] for d in client.get("/api/v1/deployments?status=failed").json()["items"]] == ["d-3"]
    assert client.get("/api/v1/deployments/d-2").json()["snapshot"]["env"] == {"API_TOKEN": "****", "LOG": "info"}


def test_deployment_pages_add_up(client: TestClient) -> None:
    """One at a time they are the same three."""
    first = client.get("/api/v1/deployments?limit=1").json()
    second = client.get(f"/api/v1/deployments?limit=2&cursor={first['nextCursor']}").json()
    assert [d["id"] for d in first["items"] + second["items"]] == ["d-3", "d-2", "d-1"]
    assert second["nextCursor"] is None


# --- logs -------------------------------------------------------------------------------------------------------------

LOGS = "/api/v1/resources/shop/web/logs?environment=production"


@pytest.mark.parametrize(("tail", "lines"), [("", 3), ("&tail=2", 2), ("&tail=1000", 3), ("&tail=0", 0)])
def test_the_last_lines_of_every_instance(client: TestClient, tail: str, lines: int) -> None:
    """``tail`` counts for each of the three instances."""
    assert len(client.get(LOGS + tail).json()["lines"]) == 3 * lines


def test_logs_of_one_release(client: TestClient) -> None:
    """The beginning of a release is enough."""
    found = {line["instance"] for line in client.get(LOGS + "&release=999").json()["lines"]}
    assert found == {"shop-production-web-9999999999-0"}


def test_one_unreadable_log_hides_no_other(connect) -> None:
    """The part that fails is named; the rest is there."""
    broken = shop.instance(shop.WEB, "a").name
    body = connect(logs=shop.Printed(unreadable=[broken])).get(LOGS).json()
    assert len(body["lines"]) == 6
    assert body["sourceErrors"] == [f"{broken}: {broken}: there is no such instance"]


# --- streams ----------------------------------------------------------------------------------------------------------


def parsed(chunk: bytes) -> tuple[str, dict]:
    lines = dict(line.split(": ", 1) for line in chunk.decode().strip().splitlines())
    return lines["event"], orjson.loads(lines["data"])


async def take(stream: AsyncIterator[bytes], count: int) -> list[tuple[str, dict]]:
    found = []
    async for chunk in stream:
        found.append(parsed(chunk))
        if len(found) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


def test_events_come_as_they_happen() -> None:
    """A stream begins now; what is recorded later comes once, redacted, and silence is broken by heartbeats."""
    book = shop.Book()
    surface = shop.surface(history=book)
    happened = replace(shop.events(13)[0], message=f"token {shop.CANARY}")

    async def listen() -> list[tuple[str, dict]]:
        stream = streams.events(surface, Query({}), last=None)
        first = parsed(await anext(stream))
        book.recorded = [happened, *book.recorded]
        return [first, *await take(stream, 3)]

    said = asyncio.run(listen())
    assert [kind for kind, _ in said] == ["heartbeat", "event", "heartbeat", "heartbeat"]
    assert said[1][1]["id"] == 13
    assert said[1][1]["message"] == "token ****"


def test_a_listener_resumes_where_it_was() -> None:
    """After event 9 come 10, 11 and 12, in that order."""
    said = asyncio.run(take(streams.events(shop.surface(), Query({}), last=9), 4))
    assert [data.get("id") for kind, data in said if kind == "event"] == [10, 11, 12]


def test_what_was_missed_is_said() -> None:
    """More news than a batch is a gap, so that a client reads the list."""
    surface = shop.surface(history=shop.Book(shop.events(streams.BATCH + 50)))
    said = asyncio.run(take(streams.events(surface, Query({}), last=1), 2))
    assert said[1] == ("gap", {"after": 1, "before": 51})


def test_following_logs_ends_with_the_programs() -> None:
    """Lines of all instances come redacted, then the stream closes."""
    both = [Output(shop.VPS1, i.name) for i in (shop.instance(shop.WEB, "a", 0), shop.instance(shop.WEB, "a", 1))]

    async def listen() -> list[tuple[str, dict]]:
        stream = streams.logs(shop.surface(), shop.WEB, both, tail=2)
        return [parsed(chunk) async for chunk in stream]

    said = asyncio.run(listen())
    assert [kind for kind, _ in said] == ["heartbeat", *["event"] * 4, "closed"]
    assert {data["text"] for kind, data in said if kind == "event"} == {"two", "three ****"}


class Quiet:
    """Prints one line, then ticks until its reader closes it."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def logs(self, target, instance, *, tail, follow=False):
        try:
            yield "hello"
            while True:
                threading.Event().wait(0.01)
                yield ""
        finally:
            self.closed.set()


def test_who_leaves_is_let_go() -> None:
    """Closing the stream of a quiet log ends its reader."""
    quiet = Quiet()
    said = asyncio.run(take(streams.logs(shop.surface(logs=quiet), shop.WEB, [Output(shop.VPS1, "web-0")], tail=1), 3))
    assert [kind for kind, _ in said] == ["heartbeat", "event", "heartbeat"]
    assert quiet.closed.wait(10)


def test_streams_are_counted() -> None:
    """One more than there are places is refused, until one is given back."""
    places = streams.Places(1)
    places.take()
    with pytest.raises(Refused) as refused:
        places.take()
    assert refused.value.status == 503
    places.give()
    places.take()


def test_a_stream_is_answered_to_who_accepts_one(client: TestClient) -> None:
    """By the Accept header or by follow; HEAD asks without listening."""
    for path, headers in (("/api/v1/events", {"Accept": "text/event-stream"}), (LOGS + "&follow=true", {})):
        answer = client.head(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    followed = client.get(LOGS + "&follow=true")
    assert followed.text.count("event: event") == 9
    assert "event: closed" in followed.text


def test_a_failed_candidate_is_heard_though_it_is_gone() -> None:
    """Its name follows from its release; its last words are where it was."""
    published = shop.published()
    workload = next(w for w in published.desired.workloads if w.key == shop.WEB)
    failed = Progress(workload.generation, 1.0, failed=True, message="it broke")
    shown = picture(replace(published, progress={**published.progress, shop.WEB: failed}), now=1000.0)
    query = Query({"environment": "production"}, {"project": "shop", "name": "web"})
    _, outputs = chosen_outputs(shown, query)
    assert instance_name(workload, 0) in {output.name for output in outputs}

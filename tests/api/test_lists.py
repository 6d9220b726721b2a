"""Lists: pages, filters, bounds, and not sending again what a client has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tests.api import shop

BASE = "/api/v1/resources"


def ids(client: TestClient, query: str = "") -> list[str]:
    return [item["id"] for item in client.get(f"{BASE}?{query}").json()["items"]]


ALL = [
    "shop/production/api",
    "shop/production/beat",
    "shop/production/old",
    "shop/production/web",
    "shop/production/worker",
    "shop/staging/web",
]


def test_everything_that_is_or_was_wanted_is_listed(client: TestClient) -> None:
    """Running, refused, no longer declared and unreachable ones alike, by id."""
    assert ids(client) == ALL


@pytest.mark.parametrize("limit", [1, 2, 4, 6, 500])
def test_pages_add_up(client: TestClient, limit: int) -> None:
    """Following nextCursor gives every item once, whatever the size of a page."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        body = client.get(f"{BASE}?{query}").json()
        found += [item["id"] for item in body["items"]]
        assert len(body["items"]) <= limit
        assert body["total"] == 6
        cursor = body["nextCursor"]
    assert found == ALL


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("project=shop&environment=staging", ["shop/staging/web"]),
        ("health=unhealthy", ["shop/production/worker"]),
        ("health=not-deployed", ["shop/production/beat"]),
        ("project=other", []),
        ("kind=Dependency", []),
    ],
)
def test_filters(client: TestClient, query: str, expected: list[str]) -> None:
    """Filters narrow, and combine."""
    assert ids(client, query) == expected


def test_servers_by_connectivity(client: TestClient) -> None:
    """A server that does not answer is found by its word."""
    found = client.get("/api/v1/servers?status=unreachable").json()["items"]
    assert [(s["name"], s["message"]) for s in found] == [("vps2", "connection refused")]


def test_work_by_state(client: TestClient) -> None:
    """The queue says what is retried, when, and what comes next."""
    (item,) = client.get("/api/v1/work?status=retry-scheduled").json()["items"]
    assert (item["unit"], item["nextAction"], item["attempts"]) == ("vps2/shop/staging", "retry", 5)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"{BASE}?limit=0", "limit"),
        (f"{BASE}?limit=501", "limit"),
        (f"{BASE}?limit=-1", "limit"),
        (f"{BASE}?limit=ten", "limit"),
        (f"{BASE}?limit=1&limit=2", "limit"),
        (f"{BASE}?limit=" + "9" * 400, "limit"),
        (f"{BASE}?health=fine", "health"),
        (f"{BASE}?project=", "project"),
        (f"{BASE}?project=" + "x" * 254, "project"),
        (f"{BASE}?helth=healthy", "helth"),
        ("/api/v1/deployments?status=done", "status"),
        ("/api/v1/events?cursor=abc", "cursor"),
        (f"{BASE}/shop/worker/logs?tail=1001", "tail"),
        (f"{BASE}/shop/worker/logs?follow=yes", "follow"),
        ("/api/v1/doctor?x=1", "x"),
    ],
)
def test_a_bad_parameter_is_refused(client: TestClient, path: str, parameter: str) -> None:
    """Out of bounds, misspelt or doubled: 400, naming the parameter."""
    refused = client.get(path)
    assert refused.status_code == 400
    assert [fault["parameter"] for fault in refused.json()["faults"]] == [parameter]


def test_all_problems_at_once(client: TestClient) -> None:
    """One answer names every parameter that is wrong."""
    faults = client.get(f"{BASE}?limit=0&health=fine&colour=red").json()["faults"]
    assert {fault["parameter"] for fault in faults} == {"limit", "health", "colour"}


def test_the_same_is_not_sent_again(client: TestClient) -> None:
    """If-None-Match with what was given is 304 without a body; so is a weak or a listed one."""
    etag = client.get(BASE).headers["etag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(BASE, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(BASE, headers={"If-None-Match": '"other"'}).status_code == 200


def test_etags_differ_by_query_serial_life_and_age(connect) -> None:
    """Another question, another serial, another daemon's life, an observation grown old: another ETag."""
    old = shop.published()
    boards = (old, replace(old, serial=8), replace(old, started_at=old.started_at + 1))
    tags = {connect(board=shop.Pinned(board)).get(BASE).headers["etag"] for board in boards}
    tags.add(connect().get(f"{BASE}?limit=7").headers["etag"])
    tags.add(connect(clock=shop.StoppedClock(shop.NOW + 400)).get(BASE).headers["etag"])
    assert len(tags) == 5


def test_a_body_is_built_once(connect) -> None:
    """The same question about the same serial costs a lookup; the next serial is built afresh."""
    board = shop.Pinned(shop.published())
    redactions: list[str] = []

    def redact(text: str) -> str:
        redactions.append(text)
        return text

    client = connect(board=board, redact=redact)
    client.get(BASE)
    once = len(redactions)
    client.get(BASE)
    assert len(redactions) == once > 0
    board.shown = replace(board.shown, serial=8, progress={})
    assert client.get(BASE).status_code == 200
    assert len(redactions) > once


def test_a_fresher_look_is_shown_without_a_new_serial(connect) -> None:
    """A target looked at again, with nothing changed, shows its new date."""
    board, clock = shop.Pinned(shop.published()), shop.StoppedClock()
    client = connect(board=board, clock=clock)
    assert client.get("/api/v1/servers/vps1").json()["observedAt"] == "2025-11-22T08:26:35Z"
    clock.time += 60
    looked = {shop.VPS1: replace(shop.snapshot()[shop.VPS1], observed_at=clock.time)}
    board.shown = replace(board.shown, snapshot=board.shown.snapshot | looked)
    assert client.get("/api/v1/servers/vps1").json()["observedAt"] == "2025-11-22T08:27:40Z"


def test_records_have_an_etag_of_their_content(connect) -> None:
    """What comes from the ledger is the same as long as its records are, whatever the time."""
    book, clock = shop.Book(), shop.StoppedClock()
    client = connect(history=book, clock=clock)
    etag = client.get("/api/v1/events").headers["etag"]
    clock.time += 5
    assert client.get("/api/v1/events", headers={"If-None-Match": etag}).status_code == 304
    book.recorded = book.recorded[1:]
    assert client.get("/api/v1/events", headers={"If-None-Match": etag}).status_code == 200

"""Watching: who has a page open hears at once that there is something new, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.api import streams
from reconciler.api.board import Limits
from reconciler.api.shelf import Shelf
from tests.api import shop

QUICK = Limits(poll=0.001, heartbeat=0.004)


def heard(edition, count: int) -> list[str]:
    """The first words of a stream of editions."""

    async def listen() -> list[str]:
        words = []
        async for message in streams.editions(edition, QUICK):
            words.append(message.decode().split("\n")[0].removeprefix("event: "))
            if len(words) == count:
                break
        return words

    return asyncio.run(listen())


def test_a_watcher_hears_of_the_present_edition_and_of_others() -> None:
    """At once, so that what came between a page and its stream is not missed; then once for each."""
    editions = iter(["one", "one", "two", "two", "three"])
    assert heard(lambda: next(editions), 3) == ["published"] * 3


def test_nothing_new_is_a_heartbeat() -> None:
    """The line is kept open without a reason to fetch anything."""
    assert heard(lambda: "one", 3) == ["published", "heartbeat", "heartbeat"]


@pytest.mark.parametrize(
    ("change", "news"),
    [({}, False), ({"serial": 8}, True), ({"started_at": 1.0}, True), ({"generated_at": 1.0}, False)],
)
def test_what_counts_as_new(change: dict[str, object], news: bool) -> None:
    """Another serial or another life of the daemon; not that a pass looked again and found the same."""
    board = shop.Pinned(shop.published())
    shelf = Shelf(shop.surface(board=board))
    before = shelf.edition()
    board.shown = shop.published(**change)
    assert (shelf.edition() != before) is news


def test_watchers_have_places_of_their_own(connect) -> None:
    """Many open pages leave the streams of events and logs alone; one too many is told to come back."""
    refused = connect(limits=Limits(watchers=0)).get("/live")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")

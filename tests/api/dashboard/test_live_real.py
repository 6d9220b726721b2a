"""An open page keeps itself current, and leaves alone what its reader is doing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reconciler.api.server import StatusServer
from reconciler.status.conditions import Condition, ConditionType, Truth
from tests.api import shop

pytestmark = pytest.mark.real

COUNT = """
window.changes = [];
new MutationObserver((all) => {
  for (const m of all) {
    const element = m.target.closest ? m.target : m.target.parentElement;
    if (element.id === "page" || element.closest("time")) continue;
    window.changes.push(`${element.tagName}#${element.id} ${m.type} ${m.attributeName}`);
  }
}).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
"""


def healthy_worker(serial: int):
    """The shop after the worker's failure is mended."""
    ready = Condition(ConditionType.READY, Truth.TRUE, "Ready", "mended at last", shop.NOW)
    return shop.published(serial=serial, conditions=shop.conditions() | {shop.WORKER: (ready,)}, plans={})


def fetched(page, path: str):
    """Waits for the page to be fetched again by its script."""
    return page.expect_response(lambda answer: answer.url.endswith(path) and answer.request.resource_type == "fetch")


def test_what_is_published_is_shown_without_a_reload(url, board, open_page):
    """The row changes by itself, and the same document goes on."""
    page = open_page(url)
    page.evaluate("window.same = true")
    expect(page.get_by_text("RolloutFailed")).to_be_visible()
    board.shown = healthy_worker(8)
    expect(page.get_by_text("RolloutFailed")).to_have_count(0)
    expect(page.get_by_text("Waiting for an Approval")).to_have_count(0)
    assert page.evaluate("window.same") is True


def test_an_update_keeps_scroll_focus_and_what_was_unfolded(url, board, open_page):
    """Somebody reads the page: it changes around them."""
    page = open_page(f"{url}/doctor")
    page.get_by_text("checks passed").click()
    link = page.locator("details a").last
    link.focus()
    page.evaluate("window.scrollTo(0, 150); window.was = document.activeElement")
    before = page.evaluate("window.scrollY")
    assert before > 0
    with fetched(page, "/doctor"):
        board.shown = healthy_worker(8)
    expect(page.locator(".count")).to_have_count(0)
    assert page.evaluate("document.activeElement === window.was && window.was.isConnected") is True
    assert page.evaluate("document.querySelector('details').open") is True
    assert page.evaluate("window.scrollY") == before


def test_nothing_moves_when_nothing_changed(url, board, open_page):
    """A serial that changes nothing on the page touches no element of it but the times (and the mark of a fetch)."""
    page = open_page(f"{url}/sources")
    with fetched(page, "/sources"):
        board.shown = shop.published(serial=8)
    page.wait_for_timeout(300)
    page.evaluate(COUNT)
    with fetched(page, "/sources"):
        board.shown = shop.published(serial=9)
    page.wait_for_timeout(300)
    assert page.evaluate("window.changes") == []


def test_a_hidden_page_keeps_no_line_open(url, open_page):
    """Six open tabs would take all the connections that a browser has for one host."""
    page = open_page(url)
    page.wait_for_function("window.htmx")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.evaluate("delete document.hidden")
    with page.expect_request("**/live"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_approval_is_copied_whole(serve, board, open_page):
    """One press puts what is to be committed on the clipboard."""
    page = open_page(serve(board=board), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".gate pre").first.inner_text()
    assert "kind: Approval" in copied


def test_a_lost_connection_is_said(board, open_page):
    """A page that cannot be kept current says that it may be out of date, until it can again."""
    server = StatusServer(shop.surface(board=board), port=0)
    server.start()
    page = open_page(server.url)
    page.wait_for_function("window.htmx")
    server.stop()
    expect(page.locator("html")).to_have_class("offline")
    again = StatusServer(shop.surface(board=board), port=server.port)
    again.start()
    expect(page.locator("html")).not_to_have_class("offline")
    again.stop()

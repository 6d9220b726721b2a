"""Every page in a real browser: nothing overflows, nothing is inaccessible, and each look of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.status.published import Published
from tests.api import shop
from tests.api.dashboard import scenes
from tests.api.dashboard.conftest import SCHEMES, WIDTHS

pytestmark = pytest.mark.real

AXE = (Path(__file__).parent / "axe.min.js").read_text()
PAGES = {
    "overview": "/",
    "resource": "/resources/shop/web?environment=production",
    "failed": "/resources/shop/worker",
    "gated": "/resources/shop/old",
    "ambiguous": "/resources/shop/web",
    "plan": "/plan",
    "events": "/events",
    "targets": "/targets",
    "sources": "/sources",
    "doctor": "/doctor",
    "surface": "/api",
}
LOOKS = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]


def findings(page):
    """What axe finds serious or critical."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {node['html'][:200]} {node['failureSummary']}"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
        for node in v["nodes"]
    ]


def spills(page):
    """How many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_fits_and_can_be_used_by_everybody(url, open_page, shoot, width, scheme):
    """At desk and at hand, by day and by night: axe finds nothing serious, and nothing has to be scrolled sideways."""
    page = open_page(f"{url}/healthz", width=width, scheme=scheme)
    wrong = {}
    for name, path in PAGES.items():
        assert page.goto(url + path).status == (409 if name == "ambiguous" else 200)
        shoot(page, f"{name}-{width}-{scheme}")
        if found := findings(page):
            wrong[name] = found
        assert spills(page) <= 0, name
    assert wrong == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_and_nothing_at_all_fit_too(serve, open_page, shoot, width):
    """63 letters of everything, and a daemon that knows of nothing yet."""
    full, empty = (
        serve(board=shop.Pinned(scenes.awkward())),
        serve(board=shop.Pinned(Published()), history=shop.Book([], [])),
    )
    page = open_page(f"{full}/healthz", width=width)
    for name, path in (("overview", "/"), ("resource", f"/resources/shop/{'r' * 63}"), ("targets", "/targets")):
        assert page.goto(full + path).status == 200
        shoot(page, f"long-{name}-{width}")
        assert spills(page) <= 0, name
    for name in ("overview", "plan", "events", "targets", "sources", "doctor"):
        assert page.goto(empty + PAGES[name]).status == 200
        shoot(page, f"empty-{name}-{width}")
        assert findings(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_routes_fit_too(serve, open_page, shoot, width):
    """What stands in a route's way, beside one that is ready."""
    page = open_page(f"{serve(board=shop.Pinned(scenes.routed()))}{PAGES['resource']}", width=width)
    shoot(page, f"routes-{width}")
    assert findings(page) == []
    assert spills(page) <= 0


def test_without_scripts_everything_is_there(url, open_page, shoot):
    """Links alone lead from the overview to what is wrong; what only scripts can do is not offered."""
    page = open_page(url, scripts=False)
    page.get_by_role("link", name="worker", exact=True).click()
    shoot(page, "without-scripts")
    assert page.get_by_role("heading", name="worker", exact=True).is_visible()
    assert page.get_by_text("exited 4 times before it was healthy").first.is_visible()
    assert page.locator("button:visible").count() == 0
    page.get_by_role("link", name="Doctor").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("2 errors")


def test_the_keyboard_alone_is_enough(url, open_page):
    """The first stop skips to the content, and where the focus is can be seen."""
    page = open_page(url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

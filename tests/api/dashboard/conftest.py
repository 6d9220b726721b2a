"""A real browser over the real listener. Pictures go to ``RECONCILER_SCREENSHOTS``, else to the test's own folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from reconciler.api.server import StatusServer
from tests.api import shop

expect.set_options(timeout=60_000)  # a hang guard, never a measurement
KEEP = os.environ.get("RECONCILER_SCREENSHOTS", "")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
WIDTHS, SCHEMES = (1280, 380), ("light", "dark")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(needs: Callable[..., str]) -> Iterator[Browser]:
    """For one module at a time, whose tests run together: while it is there, this thread has an event loop."""
    program = needs("chromium", get="apt-get install chromium, or tests/parts as root")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def board() -> shop.Pinned:
    return shop.Pinned(shop.published())


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """``serve(**changes)``: the address of a listener of its own, with these changes of the shop's surface."""
    running: list[StatusServer] = []

    def served(**changes: object) -> str:
        server = StatusServer(shop.surface(**changes), port=0)
        server.start()
        running.append(server)
        return server.url

    yield served
    for server in running:
        server.stop()


@pytest.fixture
def url(serve: Callable[..., str], board: shop.Pinned) -> str:
    return serve(board=board)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """``open_page(url, width=…, scheme=…, scripts=…)``. No page may break its policy or raise an error."""
    opened: list[tuple[Page, bool]] = []
    errors: list[str] = []

    def opening(url: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True, **options: object) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts, **options
        )
        context.set_default_timeout(60_000)
        context.add_init_script(VIOLATIONS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _complains(said) else None)
        opened.append((page, scripts))
        page.goto(url)
        return page

    yield opening
    violations = [found for page, scripts in opened if scripts for found in page.evaluate("window.violations")]
    for page, _ in opened:
        page.context.close()
    assert violations == []
    assert errors == []


def _complains(said: ConsoleMessage) -> bool:
    """An answer that is not 200, or none at all, is no error of the page."""
    network = "Failed to load resource" in said.text or "Failed to fetch" in said.text
    return said.type in {"error", "warning"} and not network


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Keeps what a page looks like, whole."""
    folder = Path(KEEP) if KEEP else tmp_path
    folder.mkdir(parents=True, exist_ok=True)

    def shot(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return shot

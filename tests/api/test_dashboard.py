"""The dashboard's pages as a client without scripts gets them: what they say, escape, keep and refuse."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from reconciler.api.dashboard import assets
from reconciler.api.dashboard.routes import PAGES
from reconciler.manifests.identity import ResourceKey
from reconciler.status.published import Published
from tests.api import shop
from tests.api.dashboard import scenes

HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
PAGE_URLS = sorted({page.path for page in PAGES if "{" not in page.path})
RESOURCES = [f"/resources/shop/{name}?environment=production" for name in ("web", "worker", "api", "beat", "old")]
EVERY_PAGE = [
    *PAGE_URLS,
    *RESOURCES,
    "/resources/shop/web?environment=staging",
    "/events?type=instance-exited&window=24h",
]
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def links(page: str) -> set[str]:
    return {html.unescape(found) for found in re.findall(r'(?:href|src)="([^"]*)"', page)}


def text(page: str) -> str:
    """What a person reads of it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_every_page_is_whole_html(client: TestClient, path: str) -> None:
    """GET answers a page with one heading, one main landmark and a polite live region."""
    page = client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert [page.text.count(tag) for tag in ("<h1", "<main", 'aria-live="polite"', "</html>")] == [1, 1, 1, 1]


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_every_page_says_what_it_speaks_of(client: TestClient, path: str) -> None:
    """The revision seen and applied, how old the observations are, and what was never observed."""
    said = text(client.get(path).text)
    assert "main at c0ffee0000 applying applied beefbeefbe" in said
    assert "observed 5 s ago live" in said
    assert "never read: vps2" in said


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_nothing_is_inline_and_nothing_is_asked_for(client: TestClient, path: str) -> None:
    """No script, style or handler in the page itself, no form, and nothing from elsewhere."""
    page = client.get(path).text
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert re.findall(r"<style|<form|<input| style=| on[a-z]+=", page) == []
    assert [src for src in re.findall(r'src="([^"]*)"', page) if not src.startswith("/static/")] == []


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_secrets_are_masked_before_they_are_redacted(connect, path: str) -> None:
    """What is known to be a secret by its name or place is masked in pages as it is in JSON; logs need the values."""
    page = connect(redact=lambda said: said).get(path).text
    assert [line for line in page.splitlines() if shop.CANARY in line and "three " not in line] == []


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_known_values_are_redacted_and_markup_is_text(client: TestClient, path: str) -> None:
    """No secret that was handed out, and no markup of others, leaves in a page."""
    page = client.get(path).text
    assert shop.CANARY not in page
    assert "<script>" not in page


def test_names_are_escaped_too(connect) -> None:
    """Markup in the name of a resource, project, environment or server stands for itself, in text and in links."""
    nasty = ResourceKey("Resource", '<b>"p', "<script>", "'><i>")
    unit = replace(shop.PRODUCTION, project=nasty.project, environment=nasty.environment)
    broken = replace(shop.desired(), workloads=(replace(shop.workload(nasty), unit=unit),), projects=frozenset())
    client = connect(board=shop.Pinned(shop.published(desired=broken)))
    overview = client.get("/").text
    assert not re.search(r"<script>|<b>|<i>", overview)
    (own,) = [link for link in links(overview) if link.startswith("/resources/%3Cb%3E")]
    page = client.get(own)
    assert page.status_code == 200
    assert not re.search(r"<script>|<b>|<i>", page.text)


def test_every_link_leads_somewhere(client: TestClient) -> None:
    """From the overview on, whatever is linked inside answers, and every fragment is there."""
    todo, seen, lost = ["/"], {"/"}, []
    while todo:
        page = client.get(todo.pop())
        assert page.status_code == 200, page.url
        if "text/html" not in page.headers["content-type"]:
            continue
        for link in links(page.text):
            path, _, fragment = link.partition("#")
            if path and path.startswith("/") and path not in seen:
                seen.add(path)
                todo.append(path)
            if fragment and f'id="{fragment}"' not in (client.get(path).text if path else page.text):
                lost.append(link)
    assert lost == []
    assert set(EVERY_PAGE) - seen - {"/events?type=instance-exited&window=24h"} == set()


# --- what they say ----------------------------------------------------------------------------------------------------


def test_the_worst_comes_first(client: TestClient) -> None:
    """Environments and resources in the order of how bad they are, with one sentence for it all."""
    page = client.get("/").text
    assert "4 of 6 resources need attention: 1 unhealthy, 1 unknown, 1 starting, 1 not-deployed" in page
    rows = re.findall(r'<tr id="r-[^"]*".*?<a href="([^"]*)">', page, re.DOTALL)
    assert [row.split("/")[3].replace("?environment=", " ") for row in rows] == [
        "worker production", "api production", "beat production", "old production", "web production", "web staging",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [("worker", ["RolloutFailed", "exited 4 times before", "exit code 1: cannot open", "apps/shop.yaml:40:1"]),
     ("beat", ["NotSupported", "apps/beat.yaml:7:3"]),
     ("old", ["GateClosed", "kind: Approval", 'gate: "deadbeef', "1 of 5 resources would go"]),
     ("api", ["health of shop-production-api-dddddddddd-0", "until 2025-11-22 08:28:10 UTC"])],
)  # fmt: skip
def test_a_problem_is_one_click_away(client: TestClient, name: str, expected: list[str]) -> None:
    """From the overview to a page that says what is wrong, where it is written and what to do."""
    (href,) = [link for link in links(client.get("/").text) if link.startswith(f"/resources/shop/{name}?environment=p")]
    said = text(client.get(href).text)
    assert [words for words in expected if words not in said] == []


def test_a_resource_in_full(client: TestClient) -> None:
    """What serves, what differs and how to ignore it, variables masked with where they are written, logs, history."""
    said = text(client.get(RESOURCES[0]).text)
    for words in (
        "Rolled out aaaaaaaaaa accepted", "Accepted before 9999999999", "http://shop.example/", "127.0.0.1:20001",
        "ignore: [replicas]", "apps/shop.yaml:15:13", "API_TOKEN **** secret", "LOG info plain-config resource",
        "apps/shop.yaml:21:9", "/srv/media", "Ready: True", "NotIsolated: runs as the daemon's user", "three ****",
        "succeeded", "deployment-progress", "GET /healthz on port http",
    ):  # fmt: skip
        assert words in said, words


def test_routes_say_where_they_lead_and_what_is_in_the_way(connect) -> None:
    """A route that is ready names its instances, one that is not says what blocks it; the proxy is with its server."""
    client = connect(board=shop.Pinned(scenes.routed()))
    said = text(client.get(RESOURCES[0]).text).partition("Routes and addresses")[2]
    ready, _, planned = said.partition("http://www.shop.example:8080/")
    assert "http://shop.example:8080/" in ready
    assert "shop-production-web-aaaaaaaaaa-0" in ready
    assert "proxy_route_missing" not in ready
    assert "proxy_route_missing" in planned
    assert "running 127.0.0.1:8080" in text(client.get("/targets").text)


def test_the_plan_has_its_whole_way(client: TestClient) -> None:
    """What may run now, waits, blocks, what is held and why, the gate, and the steps to the end."""
    said = text(client.get("/plan").text)
    for words in ("1 × create, 1 × start", "1 of 2 run", "GateClosed", "stop shop/production/old", "The whole way"):
        assert words in said, words
    assert "no longer declared" in said.partition("The whole way")[2]


def test_targets_and_sources_say_what_is_the_matter(client: TestClient) -> None:
    """Which server does not answer and why, how much room is left, what was committed by whom, and no password."""
    targets, sources = (text(client.get(path).text) for path in ("/targets", "/sources"))
    assert "vps2 Server unreachable" in targets
    assert "connection refused" in targets
    assert "50.0 GiB (50%) free" in targets
    assert "Raise the replicas ada, 11 min ago" in sources
    assert "https://bot:****@git.example/shop.git" in sources


def test_an_empty_daemon_says_what_to_do(connect) -> None:
    """Before anything is declared every page still answers, and none is blank."""
    client = connect(board=shop.Pinned(Published(instance_id="one")), history=shop.Book([], []))
    for path in PAGE_URLS:
        assert client.get(path).status_code == 200
    assert "Nothing is declared yet" in client.get("/").text
    assert "Commit a Project and a Resource" in client.get("/").text
    assert "not every unit has had a pass yet" in client.get("/").text
    assert "Nothing like that is on record" in client.get("/events").text


@pytest.mark.parametrize(
    ("path", "there", "gone"),
    [("/?environment=staging", "/web?environment=staging", "/worker?environment=production"),
     ("/?health=unhealthy", 'id="r-shop_2Fproduction_2Fworker"', 'id="r-shop_2Fstaging_2Fweb"'),
     ("/events?type=instance-exited", ">instance-exited</span>", ">deployment-progress</span>"),
     ("/events?resource=web&project=shop", ">deployment-progress</span>", ">instance-exited</span>")],
)  # fmt: skip
def test_filters_are_links_and_filter(client: TestClient, path: str, there: str, gone: str) -> None:
    """What is asked for in the address is shown, the rest is not."""
    page = client.get(path).text
    assert there in page
    assert gone not in page


def test_older_events_are_a_link(connect) -> None:
    """A hundred a page; the next page goes on where this one ends, and leads back."""
    client = connect(history=shop.Book(shop.events(130), []))
    first = client.get("/events").text
    (older,) = [link for link in links(first) if "cursor=" in link]
    second = client.get(older).text
    assert (first.count("<tr id="), second.count("<tr id=")) == (100, 30)
    assert 'href="/events">Newest' in second


def test_many_healthy_ones_are_counted(connect) -> None:
    """An environment shows what needs attention and 25 at most; the rest is one link away."""
    many = tuple(shop.workload(shop.key(f"r{number}")) for number in range(40))
    seen = {i.name: i for i in (shop.instance(w.key, "a") for w in many)}
    board = shop.published(
        desired=replace(shop.desired(), workloads=many, blocks=()), plans={}, inventory={}, progress={},
        snapshot={shop.VPS1: replace(shop.snapshot()[shop.VPS1], instances=seen)},
        conditions={w.key: shop.conditions()[shop.WEB] for w in many},
    )  # fmt: skip
    client = connect(board=shop.Pinned(board))
    page = client.get("/").text
    assert "All 40 resources are well" in page
    assert page.count('<tr id="r-') == 25
    assert "15 more that are healthy" in page
    assert client.get("/?project=shop&environment=production").text.count('<tr id="r-') == 40


# --- how they answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_an_unchanged_page_is_304(connect, path: str) -> None:
    """Within half a minute nothing is sent twice; later the ages are other ones, and the page is another."""
    clock = shop.StoppedClock(shop.NOW)
    client = connect(clock=clock)
    etag = client.get(path).headers["etag"]
    clock.time = shop.NOW + 4
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    clock.time = shop.NOW + 61
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_another_serial_is_another_page(connect) -> None:
    """What is published anew is seen at once."""
    board = shop.Pinned(shop.published())
    client = connect(board=board)
    etag = client.get("/plan").headers["etag"]
    board.shown = shop.published(serial=8, plans={})
    changed = client.get("/plan", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert "GateClosed" not in changed.text


@pytest.mark.parametrize("asset", assets.ASSETS.values(), ids=lambda asset: asset.name)
def test_files_are_kept_for_ever(client: TestClient, asset: assets.Asset) -> None:
    """Their names change with their content, so that nobody has to ask again."""
    answer = client.get(asset.url)
    assert answer.content == asset.content
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == asset.media_type
    assert hashlib.blake2b(asset.content, digest_size=8).hexdigest() in asset.url


@pytest.mark.parametrize("name", ["style.css", "style.0000000000000000.css", "..%2f__init__.py", "htmx.LICENSE.txt"])
def test_no_other_file_is_served(client: TestClient, name: str) -> None:
    """Only what pages refer to, by its whole name."""
    assert client.get(f"/static/{name}").status_code == 404


def test_the_library_is_the_one_that_was_published() -> None:
    """Not one byte of the vendored script differs, and its licence lies beside it."""
    assert hashlib.sha256(assets.ASSETS["htmx.min.js"].content).hexdigest() == HTMX
    assert "Zero-Clause BSD" in assets.ROOT.joinpath("htmx.LICENSE.txt").read_text()


def test_the_policy_lets_nothing_else_in(client: TestClient) -> None:
    """Scripts, styles, images and requests from here alone; no form, no frame, no base."""
    policy = client.get("/").headers["content-security-policy"]
    assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
        "connect-src": "'self'", "form-action": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'",
    }  # fmt: skip


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_a_page_for_people(client: TestClient) -> None:
    """A browser gets a page that leads back, a program its JSON."""
    page = client.get("/nowhere", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Back to the overview" in page.text
    assert client.get("/api/v1/nowhere", headers=BROWSER).headers["content-type"] == "application/problem+json"
    assert client.get("/resources/shop/nowhere").status_code == 404


def test_an_ambiguous_name_leads_to_each(client: TestClient) -> None:
    """A resource in two environments is a choice of two links."""
    page = client.get("/resources/shop/web")
    assert page.status_code == 409
    assert {link for link in links(page.text) if link.startswith("/resources/")} == {
        "/resources/shop/web?environment=production",
        "/resources/shop/web?environment=staging",
    }


@pytest.mark.parametrize(
    "path", ["/?health=perfect", "/events?window=9y", "/events?cursor=x", "/plan?a=1", "/doctor?a=1"]
)
def test_a_wrong_address_says_what_is_wrong(client: TestClient, path: str) -> None:
    """400 with the parameter and what it may be."""
    page = client.get(path)
    assert page.status_code == 400
    assert re.search(r"is none of|does not match|unknown parameter", text(page.text))


# --- who may look -----------------------------------------------------------------------------------------------------


def basic(password: str, name: str = "me") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize("path", ["/", "/plan", "/live", assets.url("style.css")])
def test_a_browser_is_asked_for_the_token(connect, path: str) -> None:
    """From elsewhere a page asks for a password: the token, whatever the name. The API asks for Bearer alone."""
    far = connect(client="10.0.0.7", host="status.example", token="a:token")
    refused = far.get(path)
    assert refused.status_code == 401
    assert [c.split()[0] for c in refused.headers.get_list("www-authenticate")] == ["Bearer", "Basic"]
    assert far.head(path, headers=basic("a:token")).status_code == 200
    assert far.head(path, headers=basic("a:token", name="")).status_code == 200
    assert far.get(path, headers=basic("token")).status_code == 401
    assert far.get(path, headers={"Authorization": "Basic !!!"}).status_code == 401
    assert far.get("/api/v1/status").headers.get_list("www-authenticate") == ["Bearer"]

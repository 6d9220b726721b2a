"""Every route, every method: what answers, what refuses, and how."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from reconciler.api.endpoints import ENDPOINTS
from tests.api import shop

PARTS = {"name": "web", "project": "shop", "id": "d-2"}
NAMES = {"/api/v1/projects/{name}": "shop", "/api/v1/environments/{project}/{name}": "production",
         "/api/v1/servers/{name}": "vps1",
         "/api/v1/domains/{project}/{name}": "front", "/api/v1/certificates/{project}/{name}": "shop"}  # fmt: skip
OTHERS = ("/", "/plan", "/events", "/targets", "/sources", "/doctor", "/api", "/resources/shop/worker", "/healthz",
          "/livez", "/readyz", "/metrics", "/openapi.json")  # fmt: skip


def url(path: str) -> str:
    """A route with something that exists in its path."""
    parts = PARTS | {"name": NAMES.get(path, "web")}
    filled = re.sub(r"{(\w+)}", lambda match: parts[match[1]], path)
    return filled + ("?environment=production" if "/resources/{" in path else "")


READABLE = [*OTHERS, *(url(endpoint.path) for endpoint in ENDPOINTS)]


@pytest.mark.parametrize("path", READABLE)
def test_every_route_answers(client: TestClient, path: str) -> None:
    """GET answers 200, and HEAD the same without a body."""
    got, head = client.get(path), client.head(path)
    assert (got.status_code, head.status_code) == (200, 200)
    assert got.content
    assert not head.content
    assert head.headers.get("etag") == got.headers.get("etag")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", [*READABLE, "/nowhere", "/api/v1/nowhere", "/api/v1/resources/"])
def test_nothing_can_be_written(client: TestClient, method: str, path: str) -> None:
    """Any other method, on any path whatever, is 405 and says what is allowed."""
    refused = client.request(method, path, content=b"{}")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api/v1", "/api/v1/nowhere", "/api/v1/resources/", "/api/v1/../../etc/passwd", "/%2e%2e/etc/passwd",
     "/api/v1/projects/nowhere", "/api/v1/environments/shop/nowhere", "/api/v1/resources/shop/nowhere",
     "/api/v1/resources/shop/web?environment=nowhere", "/api/v1/resources/shop/nowhere/logs",
     "/api/v1/servers/nowhere", "/api/v1/deployments/nowhere", "/api/v1/domains/shop/nowhere",
     "/api/v1/certificates/shop/shop?environment=staging"],
)  # fmt: skip
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    """An unknown path or name is a located JSON problem."""
    missing = client.get(path)
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.json()["detail"]


def test_an_ambiguous_name_lists_the_candidates(client: TestClient) -> None:
    """A resource in two environments is 409 until one is named."""
    refused = client.get("/api/v1/resources/shop/web")
    assert refused.status_code == 409
    assert "production, staging" in refused.json()["detail"]


@pytest.mark.parametrize("path", [url(endpoint.path) for endpoint in ENDPOINTS])
def test_every_body_says_its_version_and_date(client: TestClient, path: str) -> None:
    """All bodies carry schemaVersion and generatedAt."""
    body = client.get(path).json()
    assert body["schemaVersion"] == "1"
    assert body["generatedAt"] == "2025-11-22T08:26:40Z"


def test_security_headers_are_everywhere(client: TestClient) -> None:
    """Answers and refusals alike forbid sniffing, framing and scripts."""
    for answer in (client.get("/"), client.get("/nowhere"), client.post("/"), client.get("/api/v1/status")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", READABLE)
def test_no_markup_of_others_gets_out(client: TestClient, path: str) -> None:
    """HTML in a message is escaped, in JSON too."""
    assert "<script>" not in client.get(path).text


@pytest.mark.parametrize("path", [p for p in READABLE if "/logs" not in p and not p.startswith("/resources/")])
def test_secrets_are_masked_before_any_redaction(connect, path: str) -> None:
    """A secret by reference, by name or inside an URL is masked by the view itself, values unknown."""
    assert shop.CANARY not in connect(redact=lambda text: text).get(path).text


@pytest.mark.parametrize("path", READABLE)
def test_known_values_are_redacted_last(client: TestClient, path: str) -> None:
    """What a resolver handed out is found in no body, logs included."""
    assert shop.CANARY not in client.get(path).text


def test_ready_only_when_settled(connect) -> None:
    """Until every unit has had a pass, readyz is 503, while the others are 200."""
    starting = connect(board=shop.Pinned(shop.published(settled=False)))
    assert [starting.get(path).status_code for path in ("/readyz", "/livez", "/healthz")] == [503, 200, 200]
    assert starting.get("/api/v1/status").json()["settled"] is False


def test_metrics_are_passed_on(client: TestClient) -> None:
    """The bytes of whoever counts, as Prometheus wants them."""
    answer = client.get("/metrics")
    assert answer.text == "reconciler_passes_total 3\n"
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_a_defect_tells_nothing(connect) -> None:
    """A read that fails is a plain 500, without a traceback or a message from inside."""

    def broken():
        raise RuntimeError(shop.CANARY)

    answer = connect(facts=broken).get("/api/v1/doctor")
    assert answer.status_code == 500
    assert shop.CANARY not in answer.text
    assert "RuntimeError" not in answer.text

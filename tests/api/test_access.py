"""Who may ask: this machine directly, or whoever has the token."""

from __future__ import annotations

import pytest

from reconciler.api.access import is_loopback_host

PATH = "/api/v1/projects"
TOKEN = "correct horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FORWARDING = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"]


@pytest.mark.parametrize("header", FORWARDING)
def test_a_forwarded_request_is_refused(connect, header: str) -> None:
    """Without a token nothing that a proxy passed on is answered."""
    assert connect().get(PATH, headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize("client", ["10.0.0.7", "::ffff:10.0.0.7", "2001:db8::1", "testclient"])
def test_another_machine_is_refused(connect, client: str) -> None:
    """Without a token only loopback is answered."""
    assert connect(client=client).get(PATH).status_code == 403


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_answered(connect, client: str) -> None:
    """Every loopback address is this machine."""
    assert connect(client=client).get(PATH).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7780", "10.0.0.7"])
def test_a_rebound_name_is_refused(connect, host: str) -> None:
    """A browser that was led here under a foreign name gets nothing, with a token configured too."""
    assert connect(host=host).get(PATH).status_code == 403
    assert connect(host=host, token=TOKEN).get(PATH).status_code == 403


@pytest.mark.parametrize(
    ("header", "ours"),
    [("localhost", True), ("LOCALHOST:7780", True), ("status.localhost", True),
     ("127.0.0.2:1", True), ("[::1]:7780", True),
     ("::1", True), ("localhost.", True), ("", False), ("0.0.0.0", False), ("notlocalhost", False), ("[::2]", False)],
)  # fmt: skip
def test_host_headers(header: str, ours: bool) -> None:
    """Only names and addresses that can mean nothing else are this machine."""
    assert is_loopback_host(header) is ours


def test_the_token_opens_from_anywhere(connect) -> None:
    """With the token, other machines, forwarded requests and foreign names are answered."""
    far = connect(host="status.example", client="10.0.0.7", token=TOKEN)
    assert far.get(PATH, headers=BEARER).status_code == 200
    assert far.get(PATH, headers=BEARER | {"X-Forwarded-For": "1.2.3.4"}).status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic correct horse", f"Bearer {TOKEN}x", "Bearer"])
def test_without_the_right_token_it_is_401(connect, given: str) -> None:
    """Off loopback anything but the token is refused, and the answer says how to do it."""
    headers = {"Authorization": given} if given else {}
    refused = connect(client="10.0.0.7", token=TOKEN).get(PATH, headers=headers)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_this_machine_needs_no_token(connect) -> None:
    """A direct request from loopback is answered without one, a forwarded one is not, a wrong token never."""
    near = connect(token=TOKEN)
    assert near.get(PATH).status_code == 200
    assert near.get(PATH, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    assert near.get(PATH, headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_routes_are_open(connect, path: str) -> None:
    """Probes of a cluster or a balancer come from anywhere and have no token."""
    probe = connect(client="10.0.0.7", host="10.0.0.9", token=TOKEN)
    assert probe.get(path, headers={"X-Forwarded-For": "1.1.1.1"}).status_code == 200
    assert probe.post(path).status_code == 405

"""What Caddy is told: the whole of it as a file to read, and the rules one by one."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.drivers.edge.merge import merged
from reconciler.drivers.edge.render import HTTP, HTTPS, block, checked_address, literal, matcher
from reconciler.errors import InvalidInput
from tests.drivers.edge.scene import EDGE, MARKS, ROUTES, route, served

GOLDEN = Path(__file__).parent / "whole.json"


def rendered(*routes, edge=EDGE):
    return block(edge, routes, MARKS, served, kept=frozenset({"own-1a2b3c"}))


def hosts(server):
    return [entry["match"][0]["host"][0] for entry in server["routes"] if "match" in entry]


def test_the_whole_is_as_it_was_agreed():
    """Every kind of route at once; WRITE_GOLDEN=1 writes it again, to be read in the diff."""
    text = json.dumps(merged({}, rendered(*ROUTES), MARKS), indent=1, sort_keys=True) + "\n"
    if os.environ.get("WRITE_GOLDEN") == "1":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_order_of_the_routes_makes_no_difference():
    """The same routes, the same text."""
    assert rendered(*ROUTES) == rendered(*reversed(ROUTES))


def test_the_longest_path_is_asked_first():
    """Whatever the names are."""
    server = rendered(route("a.localhost/", "x:1"), route("z.localhost/a/b", "x:1"), route("a.localhost/a", "x:1"))
    assert hosts(server.servers[HTTP]) == ["z.localhost", "a.localhost", "a.localhost"]


def test_plain_routes_stay_plain():
    """No encrypted server, no policy, and nothing automatic."""
    made = rendered(route("shop.example/", "x:1"))
    assert (list(made.servers), made.policies, made.authorities) == ([HTTP], (), {})
    assert made.servers[HTTP]["automatic_https"] == {"disable": True}


def test_an_encrypted_name_leads_there_from_the_plain_one():
    """By a redirect that is written out, with the port that the edge has."""
    made = rendered(route("safe.localhost/", "x:1", tls="internal"))
    plain = made.servers[HTTP]["routes"][0]["handle"][0]
    assert plain["headers"]["Location"] == ["https://{http.request.host}:8443{http.request.uri}"]
    assert made.servers[HTTPS]["routes"][0]["handle"][0]["handler"] == "reverse_proxy"
    assert made.authorities["reconciler"]["install_trust"] is False


def test_a_name_that_wants_tls_without_a_listener_says_so():
    """Its neighbours are served all the same."""
    made = rendered(route("safe.localhost/", "x:1", tls="internal"), edge=replace(EDGE, https=""))
    assert list(made.servers) == [HTTP]
    assert made.servers[HTTP]["routes"][0]["handle"][0]["status_code"] == 503


def test_nobody_there_is_told_with_a_time_to_come_back():
    """A route without an upstream is no error of anybody's program."""
    handler = rendered(route("a.localhost/")).servers[HTTP]["routes"][0]["handle"][0]
    assert (handler["status_code"], handler["headers"]["Retry-After"]) == (503, ["5"])


def test_streams_are_closed_late():
    """Never before the drain is over, and not because of somebody else's change."""
    handler = rendered(route("a.localhost/", "x:1", drain=172800.0)).servers[HTTP]["routes"][0]["handle"][0]
    other = rendered(route("a.localhost/", "x:1")).servers[HTTP]["routes"][0]["handle"][0]
    assert (handler["stream_close_delay"], other["stream_close_delay"]) == ("172800s", "86400s")


def test_only_one_of_several_upstreams_is_left_out():
    """The only one is asked again, whatever it did last."""
    one, two = rendered(route("a.localhost/", "x:1"), route("b.localhost/", "x:1", "x:2")).servers[HTTP]["routes"][:2]
    assert "health_checks" not in one["handle"][0]
    assert two["handle"][0]["health_checks"] == {"passive": {"fail_duration": "10s"}}


@pytest.mark.parametrize(
    ("path", "matched"),
    [
        ("/", {"host": ["a"]}),
        ("/api/", {"host": ["a"], "path": ["/api", "/api/*"]}),
        ("/{env.HOME}*", {"host": ["a"], "path_regexp": {"pattern": r"^/\{env\.HOME\}\*(/|$)"}}),
    ],
)
def test_a_path_matches_itself_and_what_is_below(path, matched):
    """And none of its characters means anything else."""
    assert matcher("a", path) == matched


def test_no_text_is_expanded():
    """A placeholder would read files and the environment."""
    assert literal("/a/{file./etc/passwd}") == "/a/\\{file./etc/passwd}"
    assert literal("/a\\b") == "/a\\b"


@pytest.mark.parametrize("address", ["", "8080", "127.0.0.1", "{env.HOST}:80", "127.0.0.1:99999", "unix//a:80"])
def test_a_listen_address_is_host_and_port(address):
    """Anything else is refused before Caddy sees it."""
    with pytest.raises(InvalidInput, match="listen"):
        checked_address(address)


@pytest.mark.parametrize("address", [":80", "127.0.0.1:8080", "[::1]:443", "shop.example:80"])
def test_these_are_listen_addresses(address):
    """With and without a host."""
    assert checked_address(address) == address

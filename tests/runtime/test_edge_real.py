"""Requests by name through the real proxy, with the real daemon: releases that nobody notices, and repairs."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from tests.drivers.edge.admin import raw
from tests.runtime.edge_kit import HOST, EdgeHouse
from tests.runtime.load import Load

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

RELEASES = 20 if os.environ.get("EVERY_RELEASE") == "1" else 4


@pytest.fixture
def house(tmp_path):
    house = EdgeHouse(tmp_path)
    house.web("first")
    yield house
    house.clean()


def repaired(house):
    """What was said of drift so far."""
    return [event["message"] for event in house.ask("api/v1/events")["items"] if event["type"] == "drift-repaired"]


def test_releases_under_load_are_noticed_by_nobody(house):
    """Every request is answered by a release that is well; one that never gets well never gets a request."""
    house.start().settled("first")
    load = Load(house.http, HOST).begin()
    try:
        for number in range(RELEASES):
            if number == RELEASES // 2:
                house.web("bad")
                house.until(lambda: "failed" in [d["status"] for d in house.ask("api/v1/deployments")["items"]])
            house.web(f"r{number}")
            house.settled(f"r{number}")
    finally:
        load.end()
    print(load.figures(), load.resets)
    assert load.errors == []
    assert set(load.bodies) == {"first", *(f"r{number}" for number in range(RELEASES))}
    assert not (house.seen / "bad").exists()
    assert load.done > 200 * load.seconds * 0.9


def test_open_streams_outlive_a_change_for_the_drain(house):
    """A socket that was upgraded, and a download that takes longer than the switch."""
    house.web("first", drain=6)
    house.start().settled("first")
    with house.connected("/ws") as stream, house.connected("/slow") as download, download.makefile("rb") as reader:
        assert b"101" in stream.recv(1000)
        house.web("second", drain=6)
        house.answered("second")
        stream.sendall(b"still")
        assert stream.recv(100) == b"first:still"
        while reader.readline() != b"\r\n":
            pass
        assert len(reader.read(4000)) == 4000
        house.settled("second")
        assert stream.recv(100) == b""


def test_redirects_sites_and_names_that_are_not_there(house):
    """Each by its own name, next to the program's."""
    (house.source / "site" / "docs").mkdir(parents=True)
    (house.source / "site" / "index.html").write_text("<h1>welcome</h1>")
    (house.source / "site" / "docs" / "index.html").write_text("docs")
    house.web("first", domains=f"{HOST}: {{}}, www.localhost: {{redirectTo: {HOST}, redirectStatus: 301}}")
    house.write(
        "site.yaml",
        "apiVersion: reconciler.dev/v1alpha1\nkind: Resource\nmetadata: {name: site, project: shop}\n"
        "spec: {source: {kind: static, path: site}, domains: {site.localhost: {}}}\n",
    )
    house.start().settled("first")
    assert house.answered("<h1>welcome", host="site.localhost")
    assert house.get("/docs/", "site.localhost")[2] == "docs"
    assert house.get("/nothing", "site.localhost")[0] == 404
    status, headers, _ = house.get("/a?b=1", "www.localhost")
    assert (status, headers["location"]) == (301, f"http://{HOST}:{house.http}/a?b=1")
    status, headers, _ = house.get("/", "unknown.localhost")
    assert (status, headers["x-reconciler"]) == (404, "resource_access_route_not_found")
    (house.source / "site" / "index.html").write_text("<h1>changed</h1>")
    assert house.answered("<h1>changed", host="site.localhost")


def test_a_link_survives_releases(house):
    """The address that another program was given stays, whoever answers there."""
    house.write(
        "other.yaml",
        (house.source / "web.yaml")
        .read_text()
        .replace("name: web", "name: other")
        .replace("GREETING: first", "GREETING: other, WEB: {from: {resource: web}}")
        .replace(HOST, "other.localhost"),
    )
    house.start()
    house.answered("first", "/ask", "other.localhost")
    pid = house.answered("other", host="other.localhost")
    house.web("second")
    house.answered("second", "/ask", "other.localhost")
    assert house.answered("other", host="other.localhost") == pid


def test_a_killed_proxy_is_back_with_what_it_did_and_it_is_said(house):
    """By the running daemon, as drift that was repaired."""
    house.start().settled("first")
    before = house.proxy_pid()
    os.kill(before, signal.SIGKILL)
    house.answered("first")
    assert house.proxy_pid() != before
    (said,) = house.until(lambda: repaired(house))
    assert "it is down" in said and "start-edge" in said


def test_an_edited_configuration_is_written_again_and_what_is_not_ours_survives(house):
    """Routes that somebody bent are bent back; a server of somebody else's is left alone."""
    house.start().settled("first")
    config = raw(house.edge)
    servers = config["apps"]["http"]["servers"]
    servers["theirs"] = {"listen": ["127.0.0.1:0"], "routes": [{"handle": [{"handler": "static_response"}]}]}
    servers["reconciler-http"]["routes"][0]["handle"] = [{"handler": "static_response", "body": "hijacked"}]
    raw(house.edge, config)
    assert house.get()[2] == "hijacked"
    house.answered("first")
    assert raw(house.edge)["apps"]["http"]["servers"]["theirs"] == servers["theirs"]
    (said,) = house.until(lambda: repaired(house))
    assert f"{HOST}/ was changed by somebody else" in said


def test_a_lost_autosave_is_made_up_for(house):
    """Killed and without memory, it is told everything anew."""
    house.start().settled("first")
    shutil.rmtree(house.edge / "config")
    os.kill(house.proxy_pid(), signal.SIGKILL)
    house.answered("first")


def test_the_proxy_outlives_the_daemon_and_is_adopted(house):
    """Served without a daemon, and the next one starts none and writes nothing."""
    house.start().settled("first")
    before = house.proxy_pid()
    house.end(signal.SIGKILL)
    assert house.get()[2].startswith("first")
    house.start()
    house.until(house.applied)
    house.settled("first")
    assert house.proxy_pid() == before
    assert b"-edge" not in house.log.read_bytes().split(b"started  ")[-1]


def test_a_name_that_is_taken_away_is_answered_no_more(house):
    """And the program goes on behind its address."""
    house.start().settled("first")
    house.web("first", domains="")
    house.until(lambda: house.get()[0] == 404)
    assert len(house.programs()) == 1

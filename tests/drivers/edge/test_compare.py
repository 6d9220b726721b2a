"""Reading back: lossless, and suspicious of everything that was not written so."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.edge.compare import read
from reconciler.drivers.edge.marks import Marks
from reconciler.drivers.edge.merge import merged
from reconciler.drivers.edge.render import HTTP, bare, block
from reconciler.errors import ExistsNotOurs
from reconciler.observed.snapshot import EdgeState
from reconciler.plan.targets import edge_settings
from tests.drivers.edge.scene import EDGE, FURNITURE, MARKS, ROUTES, route, served

KEPT = frozenset({"own-1a2b3c"})
THEIRS: dict[str, Any] = {
    "apps": {
        "http": {"servers": {"theirs": {"listen": [":9000"], "routes": [{"handle": []}]}}, "grace_period": "5s"},
        "tls": {"automation": {"policies": [{"subjects": ["theirs.example"]}]}, "cache": {"capacity": 1}},
        "layer4": {"servers": {}},
    },
    "storage": {"module": "file_system"},
}


def written(before=None, routes=ROUTES):
    return merged(before or {}, block(EDGE, routes, MARKS, served, kept=KEPT), MARKS)


def seen(config, marks_of=MARKS):
    return read(config, marks_of, served, unit=FURNITURE, kept=KEPT)


def entries(config):
    return config["apps"]["http"]["servers"][HTTP]["routes"]


def test_what_was_written_is_read_back():
    """Every field of every route, and what the edge was told of itself."""
    reading = seen(written())
    assert reading.routes == {route.id: route for route in ROUTES}
    assert (reading.edge.state, reading.edge.altered) == (EdgeState.RUNNING, False)
    assert reading.edge.settings == edge_settings(EDGE)
    assert reading.edge.listening == ("127.0.0.1:8080", "127.0.0.1:8443")


def test_what_was_written_is_not_written_again():
    """To write it once more changes not a byte."""
    assert written(written(THEIRS)) == written(THEIRS)


def test_what_is_not_ours_survives():
    """Servers, policies, apps and settings of others, whatever we do and when we go."""
    config = written(THEIRS)
    assert config["storage"] == THEIRS["storage"]
    assert config["apps"]["layer4"] == {"servers": {}}
    assert config["apps"]["http"]["servers"]["theirs"] == THEIRS["apps"]["http"]["servers"]["theirs"]
    assert config["apps"]["tls"]["automation"]["policies"][-1] == {"subjects": ["theirs.example"]}
    empty = merged(config, block(replace(EDGE, http="", https=""), (), MARKS, served), MARKS)
    assert {**empty, "admin": None} == {**THEIRS, "admin": None} | {
        "apps": {
            **THEIRS["apps"],
            "tls": {**THEIRS["apps"]["tls"], "certificates": {"load_files": []}},
            "pki": {"certificate_authorities": {}},
        }
    }


def test_a_new_one_was_told_nothing():
    """It runs, and has neither settings nor routes."""
    reading = seen(bare(MARKS))
    assert (reading.edge.state, reading.edge.settings, reading.routes) == (EdgeState.RUNNING, {}, {})


@pytest.mark.parametrize("name", [r.id for r in ROUTES if r.id.startswith("shop.localhost")])
def test_an_edited_route_is_told(name):
    """By its name, and no other with it."""
    config = written()
    entry = next(e for e in entries(config) if e["@id"] == MARKS.of_route(next(r for r in ROUTES if r.id == name)))
    entry["handle"] = [{"handler": "static_response"}]
    reading = seen(config)
    assert [r.id for r in reading.routes.values() if r.altered] == [name]


@pytest.mark.parametrize(
    "meddle",
    [
        lambda c: entries(c).pop(),  # the last word
        lambda c: entries(c).reverse(),
        lambda c: c["apps"]["http"]["servers"][HTTP].update(listen=[":1"]),
        lambda c: c["apps"]["http"]["servers"][HTTP].pop("automatic_https"),
        lambda c: c["apps"]["tls"]["automation"]["policies"].clear(),
        lambda c: c["apps"]["tls"]["certificates"]["load_files"].clear(),
        lambda c: c["apps"]["pki"]["certificate_authorities"]["reconciler"].update(install_trust=True),
        lambda c: c["admin"].pop("config"),
    ],
)
def test_an_edited_frame_is_told(meddle):
    """Whatever it is around the routes."""
    config = written()
    meddle(config)
    reading = seen(config)
    assert reading.edge.altered
    assert not [r.id for r in reading.routes.values() if r.altered]


def test_a_mark_that_makes_no_sense_is_of_a_route_that_must_go():
    """It is ours, of nobody, and altered."""
    config = written()
    entries(config)[0]["@id"] = MARKS.of_route(ROUTES[0]).rpartition(":")[0] + ":!!!"
    damaged = [r for r in seen(config).routes.values() if r.id.startswith("damaged")]
    assert [(r.ours, r.altered, r.unit) for r in damaged] == [(True, True, FURNITURE)]


def test_a_route_of_somebody_else_in_our_server_takes_its_name():
    """It is seen as theirs, survives, and stands before the last word."""
    theirs = {"match": [{"host": ["theirs.localhost"], "path": ["/a/*"]}], "handle": []}
    config = written()
    entries(config).append(theirs)
    assert not seen(config).routes["theirs.localhost/a"].ours
    again = written(config)
    assert entries(again)[-2] == theirs
    assert entries(again)[-1]["handle"][0]["status_code"] == 404
    first = copy.deepcopy(again)
    entries(first).remove(theirs)
    entries(first).insert(0, theirs)
    assert entries(written(first))[0] == theirs


def test_our_route_is_not_hidden_by_one_of_the_same_name():
    """Who asks for it, finds ours."""
    config = written()
    entries(config).insert(0, {"match": [{"host": ["shop.localhost"]}], "handle": []})
    assert seen(config).routes["shop.localhost/"].ours


def test_another_daemons_block_is_not_ours():
    """The mark names who made it, and a name that is taken is not overwritten."""
    reading = seen(written(), Marks("another"))
    assert not [r.id for r in reading.routes.values() if r.ours]
    with pytest.raises(ExistsNotOurs, match="reconciler-"):
        merged(written(), block(EDGE, ROUTES, Marks("another"), served), Marks("another"))


def test_marks_are_the_same_for_the_same_route():
    """Sets have no order, marks do."""
    many = [f"x:{n}" for n in range(30)]
    one, two = route("a.localhost/", *many), route("a.localhost/", *many)
    shuffled = replace(two, upstreams=frozenset(sorted(two.upstreams, reverse=True)))
    assert MARKS.of_route(one) == MARKS.of_route(shuffled)

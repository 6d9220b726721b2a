"""The control socket: whose it is, what it does, and that every use is on record."""

from __future__ import annotations

import os
import socket
import stat
import struct
from dataclasses import replace

import pytest

from reconciler.errors import InvalidInput, Unreachable
from reconciler.inventory import Entry
from reconciler.manifests.identity import ResourceKey
from reconciler.runtime import control
from reconciler.runtime.control import Controls, ControlSocket, ask
from reconciler.runtime.world import Board, World

WEB = ResourceKey("Resource", "shop", "web", "production")


class Notebook:
    def __init__(self):
        self.events, self.holds = [], None

    def append(self, events):
        self.events += events

    def save_holds(self, holds):
        self.holds = holds


class House:
    def __init__(self, clock, queue, unit, path):
        self.board = Board(World(edition=1, units=(unit,), inventory={unit: {WEB: Entry(WEB, unit)}}), clock)
        self.ledger, self.queue, self.again, self.path = Notebook(), queue, [], path
        controls = Controls(self.board, queue, self.ledger, clock, again=lambda: self.again.append(True))
        self.socket = ControlSocket(path, controls)


@pytest.fixture
def house(clock, queue, unit, tmp_path):
    house = House(clock, queue, unit, tmp_path / "control" / "socket")
    house.socket.start()
    yield house
    house.socket.stop()


def test_the_socket_is_its_owners_from_the_first_moment(house):
    """Its folder admits nobody else, so that there is no moment between making and guarding it."""
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(house.path.parent.stat().st_mode) == 0o700


def test_a_hold_is_kept_shown_audited_and_wakes_the_unit(house, unit):
    """On record before it counts."""
    assert ask(house.path, "hold", str(WEB)) == {"ok": True, "subjects": ["Resource/shop/production/web"]}
    assert house.ledger.holds == house.board.published().holds == frozenset({WEB})
    assert house.queue.get(timeout=0) == unit
    (event,) = house.ledger.events
    assert (event.type, event.message) == ("control-hold", f"hold {WEB} by user {os.geteuid()}")


def test_a_release_ends_a_hold_of_something_that_is_no_longer_known(house, clock):
    """What was held may have been removed since."""
    gone = ResourceKey("Resource", "shop", "gone", "production")
    house.board.change(lambda world: replace(world, holds=frozenset({gone})))
    ask(house.path, "release", str(gone))
    assert house.board.read().holds == house.ledger.holds == frozenset()


def test_reconcile_now_looks_at_everything_or_at_one(house, unit):
    """Backoffs are forgotten, units run at once."""
    ask(house.path, "reconcile-now")
    assert (house.again, house.queue.get(timeout=0)) == ([True], unit)
    house.queue.done(unit)
    ask(house.path, "reconcile-now", str(unit))
    assert house.queue.get(timeout=0) == unit
    assert house.ledger.events[0].message.startswith("reconcile-now everything by")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("shop/production", "here/shop/production"), ("production/web", str(WEB)), ("web", str(WEB))],
)
def test_the_end_of_a_name_is_enough_where_it_is_unique(house, said, meant):
    """At night nobody wants to type a target; the record has the name in full."""
    assert ask(house.path, "hold", said)["subjects"] == [meant]
    (event,) = house.ledger.events
    assert event.message.startswith(f"hold {meant} by")


@pytest.mark.parametrize(
    ("verb", "subject", "said"),
    [
        ("destroy", "", "not one of hold, release"),
        ("hold", "", "not known"),
        ("hold", "Resource/shop", "did you mean: Resource/shop/production/web"),
    ],
)
def test_what_is_not_known_is_refused_with_the_way_out(house, verb, subject, said):
    """Nothing is done, nothing is on record."""
    with pytest.raises(InvalidInput, match=said):
        ask(house.path, verb, subject)
    assert house.ledger.events == []


@pytest.mark.parametrize("line", [b"\n", b"[1]\n", b"{}\n", b'{"verb": 1}\n', b"\xff\n", b"x" * 70_000 + b"\n"])
def test_garbage_gets_an_answer_and_the_next_request_is_served(house, line):
    """One bad peer ends nothing."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(house.path))
        raw.sendall(line)
        assert b'"ok": false' in raw.makefile("rb").readline()
    assert ask(house.path, "reconcile-now")["ok"]


def test_another_user_is_refused_by_what_the_kernel_says(house, monkeypatch):
    """Not by what the peer says of itself."""

    class Peer(struct.Struct):
        def unpack(self, data):
            pid, _, gid = super().unpack(data)
            return pid, 12345, gid

    monkeypatch.setattr(control, "_PEER", Peer("3i"))
    with pytest.raises(InvalidInput, match="user 12345 may not"):
        ask(house.path, "reconcile-now")
    assert house.again == []


def test_without_a_daemon_the_client_says_so(tmp_path):
    """Named by the path it tried."""
    with pytest.raises(Unreachable, match="is it running"):
        ask(tmp_path / "socket", "reconcile-now")


def test_a_socket_left_by_a_killed_daemon_is_taken_over(house, clock, queue, unit):
    """Whoever starts holds the state directory's lock."""
    again = House(clock, queue, unit, house.path)
    again.socket.start()
    assert ask(house.path, "reconcile-now")["ok"]
    assert again.again == [True]
    again.socket.stop()
    assert not house.path.exists()

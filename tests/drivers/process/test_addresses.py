"""Ports: nobody gets another's."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.drivers.process.addresses import free_port, in_use
from reconciler.errors import Conflict, ExistsNotOurs, InvalidInput, TransientError
from reconciler.plan.actions import AddressSpec, Verb
from tests.drivers.process.bench import KEY, UNIT

SPEC = AddressSpec(KEY, UNIT, "http", 0, port_range=(28000, 28999))


@pytest.fixture
def listener():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made.getsockname()[1]


def reserve(bench, name, **changes):
    bench.act(
        Verb.RESERVE_ADDRESS, name, AddressSpec(KEY, UNIT, "http", 0, **({"port_range": (28000, 28999)} | changes))
    )
    return bench.driver.observe().addresses[name].port


def test_many_at_once_get_different_ones(bench):
    """Also through several drivers on one root."""
    drivers = [bench.another() for _ in range(4)]

    def one(number):
        bench.act(Verb.RESERVE_ADDRESS, f"a-{number}", SPEC, driver=drivers[number % 4])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert len({address.port for address in bench.driver.observe().addresses.values()}) == 40


def test_a_port_in_use_is_skipped(listener):
    """Somebody else was there first."""
    assert in_use(listener, "tcp")
    assert free_port((listener, listener + 50), set(), "tcp") > listener


def test_a_range_that_is_full(listener):
    """It says what would help, and later it may be free."""
    with pytest.raises(TransientError, match="portRange"):
        free_port((listener, listener), set(), "tcp")


def test_a_declared_port(bench):
    """It is taken as it is, once."""
    assert reserve(bench, "web-http-0", host_port=28500) == 28500
    with pytest.raises(InvalidInput, match="28500"):
        reserve(bench, "other-http-0", host_port=28500)


def test_a_declared_port_that_changed(bench):
    """The old one must be given back first."""
    reserve(bench, "web-http-0")
    with pytest.raises(Conflict, match="release it first"):
        reserve(bench, "web-http-0", host_port=28500)


def test_another_daemons_address(bench):
    """It is left alone."""
    bench.act(Verb.RESERVE_ADDRESS, "a", SPEC, driver=bench.another(instance_id="another"))
    for verb in (Verb.RESERVE_ADDRESS, Verb.RELEASE_ADDRESS):
        with pytest.raises(ExistsNotOurs):
            bench.act(verb, "a", SPEC)
    assert (bench.root / "addresses" / "a.json").exists()


def test_a_damaged_record_gives_nothing_out(bench):
    """It may hold any number."""
    (bench.root / "addresses" / "a.json").write_text("{")
    with pytest.raises(TransientError, match="damaged"):
        reserve(bench, "b")
    assert os.listdir(bench.root / "addresses") == ["a.json"]

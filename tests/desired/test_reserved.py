"""Variables that the engine gives: nobody's own is overridden without a word."""

from __future__ import annotations

import pytest

from reconciler.desired.facts import Facts, env_files
from reconciler.desired.objects import Plain
from tests.desired.test_assemble import APP, World, env, one, said

PLACED = APP + "ports: {http: 8000, admin-api: 9000}\nstorage: {/data: {volume: data, env: DATA_DIR}}\n"


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("PORT", "the number of port http"),
        ("PORT_HTTP", "the number of port http"),
        ("PORT_ADMIN_API", "the number of port admin-api"),
        ("DATA_DIR", "the place of storage /data"),
        ("RECONCILER_RELEASE", "what the engine says of itself"),
        ("RECONCILER_ANYTHING", "what the engine says of itself"),
    ],
)
def test_a_name_that_is_taken_blocks_its_resource(world, name, holds):
    """Where it was written, with what the name holds, and what to do."""
    world.resource("web", PLACED + f"variables: {{{name}: mine}}")
    message = f"{name} is given by the engine: it holds {holds}; rename this one, or leave it out"
    (block,) = said(world.desired(), "web")
    assert block.endswith(f"variables.{name}: {message}")
    assert "web.yaml:9:" in block


@pytest.mark.parametrize("name", ["PORT_GRPC", "PORTAL", "HOME", "PATH", "LANG", "TMPDIR"])
def test_a_name_that_is_free(world, name):
    """No port is called so; and what every program gets for convenience may be declared otherwise."""
    world.resource("web", PLACED + f"variables: {{{name}: mine}}")
    assert env(one(world.desired(), "web"))[name] == Plain("mine")


def test_without_a_port_the_name_is_free(world):
    """Only what would be overridden is refused."""
    world.resource("web", APP + "variables: {PORT: '8000'}")
    assert env(one(world.desired(), "web"))["PORT"] == Plain("8000")


def test_in_a_file_of_variables(world):
    """The line of the file is named."""
    world.write("app/.env", "LOG=1\nPORT=8000\n")
    world.resource("web", PLACED + "envFrom: [{path: app/.env}]")
    facts = Facts(env_files=dict.fromkeys(env_files(world.catalog()), "LOG=1\nPORT=8000\n"))
    (block,) = said(world.desired(facts), "web")
    assert "app/.env:2:1 variables.PORT" in block


def test_two_places_in_one_variable(world):
    """A program would find only one of them."""
    storage = "storage: {/a: {volume: a, env: DIR}, /b: {volume: b, env: DIR}}\n"
    world.resource("web", APP + storage)
    (block,) = said(world.desired(), "web")
    assert block.endswith("storage./b: DIR passes the place of /a already")

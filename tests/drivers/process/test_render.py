"""What a program is started with, from values alone."""

import pytest

from reconciler.desired.objects import (
    Artifact,
    Composite,
    Link,
    Mount,
    Plain,
    Port,
    SecretRef,
    Template,
    Workload,
)
from reconciler.drivers.process import render
from reconciler.errors import Conflict, InvalidInput
from tests.drivers.process.bench import KEY, UNIT

AROUND = render.Surroundings(
    artifact="/a",
    home="/h",
    tmp="/t",
    ports={"http": 20001, "admin-ui": 20002},
    links={"API": "http://127.0.0.1:9"},
    secrets={"TOKEN": "s3cret"},
    volumes={"media-1": "/v/media"},
)


def workload(**template):
    return Workload(KEY, UNIT, Template(Artifact("tree", "t", "t"), **template), "a" * 64)


def environment(*env, **template):
    return render.environment(workload(env=env, **template), AROUND)


def test_a_program_gets_this_and_no_more():
    """The whole environment of a program that declares nothing."""
    assert environment() == {
        "PATH": "/a/.venv/bin:/a/node_modules/.bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/h",
        "TMPDIR": "/t",
        "RECONCILER_PROJECT": "shop",
        "RECONCILER_ENVIRONMENT": "production",
        "RECONCILER_RESOURCE": "web",
        "RECONCILER_RELEASE": "a" * 64,
    }


def test_ports_are_passed_by_name():
    """The main one is PORT, too."""
    env = environment(ports=(Port("http", 0, main=True), Port("admin-ui", 0)))
    assert (env["PORT"], env["PORT_HTTP"], env["PORT_ADMIN_UI"]) == ("20001", "20001", "20002")


def test_a_volume_is_passed_as_its_place():
    """Nothing can be mounted, so the real path is what a program is told."""
    assert environment(mounts=(Mount("/srv", "media-1", env="MEDIA"),))["MEDIA"] == "/v/media"


def test_values_of_every_kind():
    """Plain ones are literal, links and secrets looked up, templates filled from all of them."""
    env = environment(
        ("PLAIN", Plain("$(TOKEN)")),
        ("API", Link(KEY, "http")),
        ("TOKEN", SecretRef("file", "token")),
        ("URL", Composite("redis://:$(TOKEN)@$(API)/$$(X)$(NOBODY)")),
        ("TWICE", Composite("<$(URL)>")),
    )
    assert env["PLAIN"] == "$(TOKEN)"
    assert env["URL"] == "redis://:s3cret@http://127.0.0.1:9/$(X)$(NOBODY)"
    assert env["TWICE"] == f"<{env['URL']}>"


def test_conveniences_may_be_declared_and_facts_may_not():
    """A program can choose its language, and not where it is probed."""
    declared = (("LANG", Plain("de")), ("PORT", Plain("1")), ("RECONCILER_RELEASE", Composite("x")))
    env = environment(*declared, ports=(Port("http", 0, main=True),))
    assert (env["LANG"], env["PORT"], env["RECONCILER_RELEASE"]) == ("de", "20001", "a" * 64)


def test_templates_that_refer_to_each_other():
    """A circle is named, not walked for ever."""
    with pytest.raises(InvalidInput, match="A, B"):
        environment(("A", Composite("$(B)")), ("B", Composite("$(A)")))


def test_an_unresolved_link_waits():
    """What is not there yet is worth another try."""
    with pytest.raises(Conflict, match="OTHER"):
        environment(("OTHER", Link(KEY, "http")))


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("$(PORT)", "20001"),
        ("--bind=:$(PORT)", "--bind=:20001"),
        ("$$(PORT)", "$(PORT)"),
        ("$(NOBODY)", "$(NOBODY)"),
        ("$PORT `id` $(id; x)", "$PORT `id` $(id; x)"),
    ],
)
def test_references_in_arguments(word, filled):
    """Only names are filled in; what a shell would make of the rest stays text."""
    assert render.arguments((word,), {"PORT": "20001"}) == (filled,)


def test_no_command_at_all():
    """Without an image there is nothing to fall back to."""
    with pytest.raises(InvalidInput, match="command"):
        render.arguments((), {})


def test_variables_that_hold_a_secret():
    """Also those that were filled from one."""
    declared = workload(env=(("TOKEN", SecretRef("file", "t")), ("URL", Composite("")), ("X", Plain(""))))
    variables = {"TOKEN": "s3cret", "URL": "redis://s3cret", "X": "no"}
    assert render.secret_names(declared, variables, {"TOKEN": "s3cret"}) == ("TOKEN", "URL")


@pytest.mark.parametrize("outside", ["/srv", "..", "a/../../b"])
def test_a_working_dir_outside(outside):
    """A program starts in its own tree."""
    with pytest.raises(InvalidInput, match="workingDir"):
        render.working_dir(workload(working_dir=outside).template)

"""Differences, from values alone."""

from dataclasses import replace

from reconciler.desired.objects import Artifact, Template, Workload
from reconciler.drivers.process.compare import compare
from reconciler.observed.snapshot import Instance, State
from reconciler.plan.actions import Difference
from tests.drivers.process.bench import KEY, UNIT

WORKLOAD = Workload(KEY, UNIT, Template(Artifact("tree", "t", "t")), "a" * 64, settings={"stopTimeout": "5"})
INSTANCE = Instance("web", "u", KEY, UNIT, "a" * 64, "", 0, State.RUNNING, settings={"stopTimeout": "5"})


def test_nothing_differs():
    """What is as declared gives no work."""
    assert compare(WORKLOAD, INSTANCE) == ()


def test_settings_that_differ():
    """Changed, added and dropped ones, by name."""
    wanted = replace(WORKLOAD, settings={"stopTimeout": "6", "probe.interval": "1"})
    live = replace(INSTANCE, settings={"stopTimeout": "5", "probe.retries": "2"})
    assert compare(wanted, live) == (
        Difference("settings.probe.interval", "1", ""),
        Difference("settings.probe.retries", "", "2"),
        Difference("settings.stopTimeout", "6", "5"),
    )


def test_a_template_never_differs():
    """Within a generation it cannot: its digest is the instance's own."""
    assert compare(replace(WORKLOAD, template=Template(Artifact("tree", "x", "x"), user="web")), INSTANCE) == ()

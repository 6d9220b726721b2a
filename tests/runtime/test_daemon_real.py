"""The daemon itself, in a process of its own, over a directory and real programs."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from reconciler import bootstrap
from reconciler.runtime.control import ask
from tests.runtime.house import WEB, House

pytestmark = pytest.mark.real

APPROVAL = """
apiVersion: reconciler.dev/v1alpha1
kind: Approval
metadata: {{name: empty-it}}
spec: {{gate: "{digest}", reason: it is meant, expiresAt: "2999-01-01T00:00:00Z"}}
"""


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.clean()


def test_from_a_directory_to_running_programs_and_back(house):
    """Deployed, changed, killed, taken away: what a person sees, and the data stay."""
    first = house.start().serving("hello")
    house.web("changed")
    second = house.serving("changed")
    assert second != first
    os.kill(second, signal.SIGKILL)
    assert house.until(lambda: house.serving("changed") != second) is True
    (house.source / "web.yaml").unlink()
    house.until(lambda: not house.programs() and house.applied())
    (mark,) = house.state.glob("servers/here/volumes/**/mark")
    assert mark.read_text() == "kept"
    assert house.end() == 0


def test_a_rollout_that_is_overtaken_by_a_newer_revision_is_recorded_as_such(house):
    """Nothing of it is left to be waited for, and no pass fails."""
    house.start().serving("hello")
    text = WEB.format(python=sys.executable, greeting="never").replace("path: /}", "path: /, status: [204]}")
    house.write("web.yaml", text)
    house.until(lambda: "running" in [d["status"] for d in house.ask("api/v1/deployments")["items"]])
    house.web("better")
    house.serving("better")
    house.until(house.applied)
    deployments = house.ask("api/v1/deployments")["items"]
    assert sorted(d["status"] for d in deployments) == ["canceled", "succeeded", "succeeded"]
    assert b"pass failed" not in house.log.read_bytes()


def test_a_killed_daemon_leaves_everything_running_and_the_next_one_adopts_it(house):
    """Same process, no action, no new deployment."""
    pid = house.start().serving("hello")
    before = house.ask("api/v1/deployments")["items"]
    house.end(signal.SIGKILL)
    assert pid in house.programs()
    assert house.start().serving("hello") == pid
    house.until(house.applied)
    assert house.ask("api/v1/deployments")["items"] == before
    assert b"action done" not in house.log.read_bytes().split(b"started  ")[-1]


def test_a_sigterm_ends_the_daemon_and_not_the_programs(house):
    """In good order: the socket is gone, the lock is free."""
    pid = house.start().serving("hello")
    assert house.end() == 0
    assert house.programs() == {pid}
    assert not (house.state / "control" / "socket").exists()


def test_a_sighup_reads_the_settings_again_and_wrong_ones_change_nothing(house):
    """A system variable takes effect without a restart."""
    house.write("web.yaml", WEB.format(python=sys.executable, greeting="{template: $(SAID)}"))
    house.configure("variables: {SAID: one}\n")
    house.start().serving("one")
    house.settings.write_text("nonsense: true\n")
    house.process.send_signal(signal.SIGHUP)
    house.until(lambda: b"settings not reloaded" in house.log.read_bytes())
    house.configure("variables: {SAID: two}\n")
    house.process.send_signal(signal.SIGHUP)
    house.serving("two")


def test_a_second_daemon_is_refused(house):
    """One per state directory."""
    house.start().serving("hello")
    refused = house.once()
    assert refused.returncode == 1
    assert f"in use by process {house.process.pid}" in refused.stderr


def test_a_source_that_vanishes_takes_nothing_with_it_also_after_a_restart(house):
    """Unknown is not empty; and what exits is started again all the same."""
    pid = house.start().serving("hello")
    house.source.rename(house.root / "away")
    house.until(lambda: house.ask("api/v1/sources")["items"][0]["error"])
    assert house.end() == 0
    house.start()
    house.until(lambda: house.ask("api/v1/sources")["items"][0]["error"] and house.ask("readyz"))
    assert house.programs() == {pid}
    os.kill(pid, signal.SIGKILL)
    house.until(lambda: len(house.programs() - {pid}) == 1)
    (house.root / "away").rename(house.source)
    house.serving("hello")


def test_an_emptied_directory_removes_nothing_without_an_approval(house):
    """Noticed while it runs, at a later look, by run --once, and by the next daemon: each says what it would take."""

    def gates():
        return [gate for unit in house.ask("api/v1/plan")["units"] for gate in unit["gates"]]

    def looked():
        return house.figure('reconciler_refreshes_total{result="ok"}')

    pid = house.start().serving("hello")
    for path in house.source.glob("*.yaml"):
        path.unlink()
    seen, before = house.until(gates), looked()
    house.until(lambda: looked() > before + 1)
    assert house.programs() == {pid}
    assert house.end() == 0
    done = house.once()
    assert done.returncode == 2
    assert "Approval" in done.stdout
    house.start()
    assert [gate["digest"] for gate in house.until(gates)] == [gate["digest"] for gate in seen]
    assert house.programs() == {pid}


def test_an_approval_of_the_printed_gate_lets_that_set_through_once(house):
    """The daemon is killed as soon as it goes; what it began is ended, and the same Approval opens nothing again."""
    house.start().serving("hello")
    kept = {path: path.read_text() for path in house.source.glob("*.yaml")}
    for path in kept:
        path.unlink()
    gates = house.until(lambda: [gate for unit in house.ask("api/v1/plan")["units"] for gate in unit["gates"]])
    digest = next(gate["digest"] for gate in gates if gate["reason"] == "mass")
    house.write("approval.yaml", APPROVAL.format(digest=digest))
    house.until(lambda: b"verb=stop" in house.log.read_bytes() or b"verb=remove" in house.log.read_bytes())
    house.end(signal.SIGKILL)
    house.start()
    house.until(lambda: not house.programs())
    for path, text in kept.items():
        path.write_text(text)
    pid = house.serving("hello")
    for path in kept:
        path.unlink()
    house.until(lambda: [gate for unit in house.ask("api/v1/plan")["units"] for gate in unit["gates"]])
    assert house.programs() == {pid}


def test_once_converges_and_ends(house):
    """Everything is healthy when it returns, and a second time there is nothing to do."""
    first = house.once()
    assert (first.returncode, first.stdout.strip()) == (0, "")
    running = house.programs()
    assert len(running) == 1
    second = house.once()
    assert second.returncode == 0
    assert "action done" in first.stderr
    assert "action done" not in second.stderr
    assert house.programs() == running


def test_a_held_resource_is_left_alone_until_it_is_released(house):
    """Through the socket, and shown."""
    house.start().serving("hello")
    socket_path = house.state / "control" / "socket"
    ask(socket_path, "hold", "Resource/shop/live/web")
    house.web("later")
    held = house.until(lambda: [h for unit in house.ask("api/v1/plan")["units"] for h in unit["held"]])
    assert held
    ask(socket_path, "release", "Resource/shop/live/web")
    house.serving("later")


def test_a_pass_without_change_writes_nothing(house):
    """Not to the ledger, not to the target, not to the log; and readers keep their copy."""
    house.start().serving("hello")
    house.until(house.applied)
    before = (house.figure("reconciler_ledger_commits_total"), house.log.read_bytes(), house.etag())
    passes = house.figure("reconciler_passes_total")
    for _ in range(3):
        ask(house.state / "control" / "socket", "reconcile-now", "here/shop/live")
    house.until(lambda: house.figure("reconciler_passes_total") > passes)
    lines = house.log.read_bytes()[len(before[1]) :].splitlines()
    assert [line for line in lines if b"control" not in line] == []
    assert (house.figure("reconciler_ledger_commits_total"), house.etag()) == (before[0], before[2])


def test_looking_ahead_without_a_daemon_makes_nothing(house):
    """The whole way from nothing, and no way at all from where everything is as declared."""
    way = bootstrap.plan_local(house.settings).way
    assert "create" in [step.action.verb for step in way.steps]
    assert not house.state.exists()
    assert house.once().returncode == 0
    assert not bootstrap.plan_local(house.settings).way.changes

"""What happens while nobody asks: exits, restarts, health, adoption."""

import os
import signal

import pytest

from reconciler.desired.objects import Probe
from reconciler.observed.snapshot import Health, State
from reconciler.plan.actions import SettingsSpec, Verb
from tests.drivers.process.bench import HTTP, alive, kill

pytestmark = pytest.mark.real

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ok = os.path.exists(os.environ['HOME'] + '/well')
        self.send_response(200 if ok else 503)
        self.end_headers()
    def log_message(self, *_): pass
open(os.environ['RUNS'], 'a').write(f'{os.getpid()}\\n')
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
"""
ASKED = {"ports": HTTP, "probe": Probe("http", path="/", port="http"), "source": SERVER}


def test_a_killed_one_is_back(watched):
    """The exit is on record with its signal, and the same record runs again."""
    web = watched.create(watched.workload())
    watched.until(lambda: len(watched.started()) == 1)
    kill(web.pid)
    watched.until(lambda: watched.seen().exits == 1)
    watched.until(lambda: len(watched.started()) == 2)
    again = watched.seen()
    assert (again.uid, again.exits, again.state) == (web.uid, 1, State.RUNNING)
    assert again.pid != web.pid


def test_an_exit_is_told_without_being_asked(watched):
    """The one who watches is called."""
    web = watched.create(watched.workload(probe=Probe("quiet")))
    watched.until(lambda: watched.changes > 0)
    before = watched.changes
    kill(web.pid)
    watched.until(lambda: watched.changes > before)
    assert watched.seen().state is State.EXITED


def test_why_it_ended(watched):
    """Its exit code and its last words."""
    watched.create(watched.workload(source="import sys; print('one'); print('it broke'); sys.exit(3)"))
    watched.until(lambda: watched.seen().exits == 1)
    assert "exit code 3" in watched.seen().detail and "it broke" in watched.seen().detail


def test_it_waits_longer_each_time(watched):
    """Exits in a row are counted, and so is the waiting."""
    watched.create(watched.workload(source="raise SystemExit(1)"))
    watched.until(lambda: watched.seen().exits == 3)
    exits = watched.driver._instances.exits("web-0")
    assert (exits.count, exits.streak) == (3, 3)
    assert watched.seen().state is State.EXITED


def test_no_daemon_no_restart_and_then_both(bench):
    """An exit that nobody saw is noticed by the next daemon, and mended."""
    web = bench.create(bench.workload())
    bench.until(lambda: len(bench.started()) == 1)
    kill(web.pid)
    bench.until(lambda: bench.seen().state is State.EXITED)
    bench.driver = bench.another(watch=True)
    bench.until(lambda: len(bench.started()) == 2)
    assert bench.seen().exits == 1


def test_what_was_stopped_stays_stopped(bench):
    """Also under the next daemon."""
    web = bench.create(bench.workload())
    bench.until(lambda: len(bench.started()) == 1)
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    bench.driver = bench.another(watch=True)
    other = bench.create(bench.workload(), "web-1")
    bench.until(lambda: bench.seen("web-1").health is Health.HEALTHY and len(bench.started()) > 1)
    assert (bench.seen().state, len(bench.started())) == (State.STOPPED, 2)
    assert alive(other.pid)


def test_a_new_daemon_adopts_what_runs(bench):
    """The same process; its health unknown until it was asked, and never worse."""
    bench.driver.watch(bench.count_change)
    web = bench.create(bench.workload(**ASKED))
    (bench.folder() / "home" / "well").touch()
    bench.until(lambda: bench.seen().health is Health.HEALTHY)
    bench.driver.close()
    bench.driver = bench.another()
    assert (bench.seen().pid, bench.seen().health) == (web.pid, Health.UNKNOWN)
    bench.driver.watch(bench.count_change)
    seen = [Health.UNKNOWN]

    def healthy():
        seen.append(bench.seen().health)
        return seen[-1] is Health.HEALTHY

    bench.until(healthy)
    assert set(seen) <= {Health.UNKNOWN, Health.HEALTHY}
    assert (bench.seen().pid, len(bench.started())) == (web.pid, 1)


def test_health_comes_and_goes(watched):
    """Starting, healthy, unhealthy, healthy, on one and the same process; each change is told."""
    web = watched.create(watched.workload(**ASKED, settings={"probe.retries": "2", "probe.startPeriod": "60"}))
    well = watched.folder() / "home" / "well"
    watched.until(lambda: "503" in watched.seen().detail)
    assert watched.seen().health is Health.STARTING
    for there, health in ((True, Health.HEALTHY), (False, Health.UNHEALTHY), (True, Health.HEALTHY)):
        before = watched.changes
        well.touch() if there else well.unlink()
        watched.until(lambda h=health: watched.seen().health is h)
        watched.until(lambda b=before: watched.changes > b)
    assert watched.seen().pid == web.pid


def test_an_unhealthy_one_is_restarted_if_wanted(watched):
    """Only with the setting, which may come when it is unhealthy already."""
    web = watched.create(watched.workload(**ASKED, settings={"probe.retries": "1", "probe.startPeriod": "60"}))
    well = watched.folder() / "home" / "well"
    well.touch()
    watched.until(lambda: watched.seen().health is Health.HEALTHY)
    well.unlink()
    watched.until(lambda: watched.seen().health is Health.UNHEALTHY)
    assert watched.seen().pid == web.pid
    settings = {**watched.seen().settings, "restartWhenUnhealthy": "true"}
    watched.act(Verb.UPDATE, "web-0", SettingsSpec(settings), expects=web.uid)
    watched.until(lambda: len(watched.started()) == 2)
    assert watched.seen().exits == 1


def test_orphans_are_buried(watched, monkeypatch):
    """Grandchildren that lose their parent come to the daemon, and leave no zombie."""
    monkeypatch.setattr("reconciler.drivers.process.supervise.SAFETY", 0.1)
    source = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        with open(os.environ['RUNS'], 'a') as runs: runs.write(f'{os.getpid()}\\n')
        os._exit(0)
    os._exit(0)
time.sleep(60)
"""
    driver = watched.another()
    watched.driver.close()
    watched.driver = driver
    driver.watch(watched.count_change)
    watched.create(watched.workload(source=source))
    watched.until(lambda: len(watched.started()) == 1)
    orphan = watched.started()[0]
    watched.until(lambda: not os.path.exists(f"/proc/{orphan}"))


def test_many_die_at_once(watched):
    """Each is noticed, each comes back."""
    names = [f"web-{number}" for number in range(6)]
    for name in names:
        watched.create(watched.workload(), name)
    watched.until(lambda: len(watched.started()) == 6)
    for name in names:
        os.kill(watched.seen(name).pid, signal.SIGKILL)
    watched.until(lambda: len(watched.started()) == 12)
    assert [watched.seen(name).exits for name in names] == [1] * 6

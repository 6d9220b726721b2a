"""How what runs is ended: asked first, then made to, with all that belongs to it."""

import os
import signal

import pytest

from reconciler.observed.snapshot import State
from reconciler.plan.actions import Verb
from tests.drivers.process.bench import alive

pytestmark = pytest.mark.real

TELL_PID = "import os, signal, sys, time\nopen(os.environ['RUNS'], 'a').write(f'{os.getpid()}\\n')\n"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + TELL_PID
POLITE = f"""{TELL_PID}
def bye(*_):
    print('bye', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
open(os.environ['RUNS'], 'a').write('0\\n')
while True: time.sleep(1)
"""
FAMILY = f"""
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        {TELL_PID.splitlines()[1]}
        while True: time.sleep(60)
    {TELL_PID.splitlines()[1]}
    while True: time.sleep(60)
{TELL_PID.splitlines()[1]}
"""
STAYS = "while True: time.sleep(60)\n"


def stopped(bench, source, **settings):
    """The pids of a program that was stopped once all of ``expected`` had said so."""
    count = {POLITE: 2, FAMILY + STAYS: 3, FAMILY: 3}.get(source, 1)
    web = bench.create(bench.workload(source=source, settings=settings))
    bench.until(lambda: len(bench.started()) == count)
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    return [pid for pid in bench.started() if pid]


def test_it_may_say_goodbye(bench):
    """SIGTERM comes first, and within its time it can finish."""
    stopped(bench, POLITE, stopTimeout="20")
    assert list(bench.driver.logs("web-0", tail=1)) == ["bye"]
    assert bench.seen().state is State.STOPPED


def test_a_stubborn_family_is_killed(bench):
    """The leader, children and grandchildren, once their time is over."""
    pids = stopped(bench, FAMILY + STAYS, stopTimeout="0.3")
    assert len(pids) == 3 and not any(map(alive, pids))


def test_children_that_outlive_their_leader(bench):
    """They go with it."""
    pids = stopped(bench, FAMILY, stopTimeout="0.3")
    assert not any(map(alive, pids))


def test_a_child_that_left_the_session(bench):
    """It is found by the lock that it still has open."""
    source = f"import os, time\nif os.fork() == 0:\n    os.setsid()\n{TELL_PID}{STAYS}"
    web = bench.create(bench.workload(source=source, settings={"stopTimeout": "0.3"}))
    bench.until(lambda: len(bench.started()) == 2)
    bench.act(Verb.STOP, "web-0", expects=web.uid)
    assert not any(map(alive, bench.started()))


def test_a_stop_is_not_an_exit(watched):
    """What we ended is not restarted and not held against it."""
    stopped(watched, STUBBORN + STAYS, stopTimeout="0.2")
    web = watched.seen()
    assert (web.state, web.exits) == (State.STOPPED, 0)


def test_removed_with_everything(bench):
    """Its folder is gone, whatever its program left in it."""
    source = f"import os\nos.mkdir(os.environ['HOME'] + '/x', 0o500)\n{TELL_PID}{STAYS}"
    web = bench.create(bench.workload(source=source))
    bench.until(lambda: bool(bench.started()))
    bench.act(Verb.REMOVE, "web-0", expects=web.uid)
    assert not bench.folder().exists() and not alive(web.pid)


def test_closing_ends_nothing(bench):
    """No workload dies because the daemon did."""
    driver = bench.another(watch=True)
    bench.driver = driver
    web = bench.create(bench.workload())
    driver.close()
    assert alive(web.pid)


def test_a_pid_that_was_given_out_again(bench):
    """A record of another start, or another boot, names nobody."""
    web = bench.create(bench.workload())
    run = bench.folder() / "run.json"
    text = run.read_text()
    for wrong in (text.replace('"start": ', '"start": 1'), text.replace('"boot": "', '"boot": "x')):
        run.write_text(wrong)
        assert bench.seen(driver=bench.another()).state is State.EXITED
    run.write_text(text)
    assert bench.seen(driver=bench.another()).pid == web.pid
    os.kill(web.pid, signal.SIGKILL)

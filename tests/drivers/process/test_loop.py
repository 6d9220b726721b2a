"""The loop behind supervision: exits, due times, posted work, and an end."""

import os
import subprocess
import threading
import time

import pytest

from reconciler.drivers.process.loop import Loop
from tests.drivers.process.bench import GUARD, SystemClock


@pytest.fixture
def settled():
    return threading.Event()


@pytest.fixture
def loop(settled):
    made = Loop(SystemClock(), settled.set)
    made.start()
    yield made
    made.close()


def test_posted_work_is_done_on_the_loop(loop, settled):
    """And whoever wants to know is told after it."""
    names, done = [], threading.Event()
    loop.post(lambda: (names.append(threading.current_thread().name), done.set()))
    assert done.wait(GUARD) and settled.wait(GUARD)
    assert names == ["process-loop"]


def test_due_work_comes_in_order(loop):
    """By its time, not by when it was asked for."""
    order, done = [], threading.Event()

    def plan():
        loop.at(0.02, lambda: (order.append("late"), done.set()))
        loop.at(0.0, lambda: order.append("soon"))

    loop.post(plan)
    assert done.wait(GUARD)
    assert order == ["soon", "late"]


def test_work_that_fails_ends_nothing(loop):
    """The next piece is done all the same."""
    done = threading.Event()
    loop.post(lambda: 1 / 0)
    loop.hand_out(lambda: 1 / 0)
    loop.post(done.set)
    assert done.wait(GUARD)


def test_hanging_questions_do_not_delay_starts(loop):
    """They wait for answers in threads of their own."""
    answer, started = threading.Event(), threading.Event()
    for _ in range(50):
        loop.hand_out_question(answer.wait)
    loop.hand_out(started.set)
    assert started.wait(GUARD)
    answer.set()


@pytest.mark.real
def test_an_exit_is_noticed_once(loop):
    """By the kernel's word, for a process that nobody asked about."""
    ends, done = [], threading.Event()
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        loop.post(lambda: loop.on_exit(child.pid, lambda: (ends.append(child.pid), done.set())))
        child.stdin.close()
        assert done.wait(GUARD)
    assert ends == [child.pid]


def test_closing_leaves_no_descriptor_and_no_thread(settled):
    """Twice is as good as once, also from its own thread; what is posted later is dropped."""
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(5):
        loop = Loop(SystemClock(), settled.set)
        loop.start()
        loop.post(loop.close)
        loop.close()
        loop.post(settled.clear)
    limit = time.monotonic() + GUARD
    while (len(os.listdir("/proc/self/fd")), threading.active_count()) != before:
        assert time.monotonic() < limit
        time.sleep(0.01)

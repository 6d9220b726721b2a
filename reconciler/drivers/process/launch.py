"""Starts a shim and waits until it has said what it became. The only place where this program starts a workload."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from reconciler.drivers.process import layout, proc, shim
from reconciler.drivers.process.record import Reader, RunRecord
from reconciler.errors import TransientError

SHIM = Path(shim.__file__)
RUNNER = SHIM.with_name("runner.py")
LIMIT = 30.0  # seconds for a shim to say what it became
TICK = 0.003

_DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Launched(Enum):
    STARTED = "started"
    BUSY = "busy"  # something already runs out of this folder
    UNWANTED = "unwanted"  # the record changed meanwhile


def launch(folder: Path, uid: str, *, program: Path, reader: Reader, spawned: Callable[[], None]) -> Launched:
    """Starts ``program`` (the shim or the runner) on ``folder``. Raises ``TransientError`` when it cannot.

    ``spawned`` is called when it is under way and has possibly not yet said anything.
    """
    pid = _spawn(folder, uid, program)
    spawned()
    pidfd = os.pidfd_open(pid)
    try:
        return _settle(pid, pidfd, folder, reader)
    finally:
        os.close(pidfd)


def _spawn(folder: Path, uid: str, program: Path) -> int:
    log = str(folder / layout.LOG)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-B", str(program), str(folder), uid],
        {},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsigmask=[],
        setsigdef=_DEFAULT_SIGNALS,
    )


def _settle(pid: int, pidfd: int, folder: Path, reader: Reader) -> Launched:
    deadline = time.monotonic() + LIMIT
    ended = False
    while time.monotonic() < deadline:
        if _is_on_record(pid, reader.read(folder / layout.RUN, RunRecord)):
            return Launched.STARTED
        if ended:
            return _refused(folder, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        ended = _wait(pidfd, TICK)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise TransientError(f"{folder.name}: its shim said nothing for {LIMIT:g} s")


def _is_on_record(pid: int, run: RunRecord | None) -> bool:
    if run is None or run.pid != pid:
        return False
    seen = proc.stat(pid)  # it is a child of ours, so that its entry stays until it is reaped
    return seen is None or seen.start == run.start


def _wait(pidfd: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _refused(folder: Path, code: int) -> Launched:
    if code == shim.BUSY:
        return Launched.BUSY
    if code == shim.UNWANTED:
        return Launched.UNWANTED
    raise TransientError(f"{folder.name}: its shim ended with {code}; see {folder / layout.LOG}")

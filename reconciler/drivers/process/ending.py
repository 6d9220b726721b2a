"""Ends what runs out of a folder: asks, waits, kills; the group, and what outlives its leader."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reconciler.drivers.process import layout, proc
from reconciler.drivers.process.launch import SHIM
from reconciler.drivers.process.record import Reader, RunRecord
from reconciler.errors import TransientError

TICK = 0.02
KILL_LIMIT = 5.0  # seconds for the kernel to end what was killed
SHIM_LIMIT = 5.0  # seconds for a shim, started by a daemon that died, to become something


def end(run: RunRecord, folder: Path, *, grace: float, signalled: Callable[[], None] = lambda: None) -> None:
    """SIGTERM to the group, up to ``grace`` seconds, then SIGKILL to all that is left. Nothing there is success.

    Raises ``TransientError`` when something survives even that (it waits for a disk, say).
    """
    deadline = time.monotonic() + grace
    if members := proc.session_of(run):
        ask(run, members)
        signalled()
        _wait_for_leader(run, deadline)
        while time.monotonic() < deadline and proc.session_of(run):
            time.sleep(TICK)
    kill(run, folder)


def ask(run: RunRecord, members: list[int]) -> None:
    """SIGTERM to the group at once, then to the members of the session that made groups of their own."""
    others = [pid for pid in members if _group(pid) != run.pid]
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGTERM)
    for pid in others:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def kill(run: RunRecord, folder: Path) -> None:
    """SIGKILL to whatever is left of a run, sessions of its own included. Buries the leader if it is our child."""
    deadline = time.monotonic() + KILL_LIMIT
    while left := remains(run, folder):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TransientError(f"{folder.name}: processes {sorted(left)} survive SIGKILL; the kernel holds them")
        time.sleep(TICK)
    proc.reap(run)


def remains(run: RunRecord, folder: Path) -> set[int]:
    """The living processes of a run: its session, and whoever else still has its lock open."""
    found = set(proc.session_of(run))
    if is_locked(folder):
        found |= set(proc.holders_of(folder / layout.LOCK))
    return found


def is_locked(folder: Path) -> bool:
    """Whether anything holds the lock of this folder."""
    try:
        fd = os.open(folder / layout.LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def await_shim(folder: Path, reader: Reader) -> None:
    """Lets a shim that is under way become something or give up.

    A daemon that died may have left one behind that has read "run" and not yet recorded itself. Once the lock is
    free, every later one reads the intent that is on record now.
    """
    deadline = time.monotonic() + SHIM_LIMIT
    while time.monotonic() < deadline and is_locked(folder):
        if proc.alive(reader.read(folder / layout.RUN, RunRecord)) or not _has_shim(folder):
            return
        time.sleep(TICK)


def _has_shim(folder: Path) -> bool:
    return any(_is_shim(pid) for pid in proc.holders_of(folder / layout.LOCK))


def _is_shim(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(SHIM) in words


def _wait_for_leader(run: RunRecord, deadline: float) -> None:
    try:
        pidfd = os.pidfd_open(run.pid)
    except ProcessLookupError:
        return
    try:
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        while proc.alive(run) and (left := deadline - time.monotonic()) > 0:
            poller.poll(left * 1000)
    finally:
        os.close(pidfd)

"""What the kernel says of processes: ``/proc``, pidfds, sessions. A process is its pid, its start time and its boot."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.drivers.process.record import RunRecord

_SET_CHILD_SUBREAPER = 36
_LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Stat:
    """A line of ``/proc/PID/stat``; ``start`` is in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    session: int
    start: int

    @property
    def dead(self) -> bool:
        return self.state in ("Z", "X")


@functools.cache
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def become_subreaper() -> None:
    """Orphans of workloads come to this process, so that it can bury them."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat(pid: int) -> Stat | None:
    """None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))


def alive(run: RunRecord | None) -> bool:
    """Whether exactly the recorded process still runs; a zombie does not."""
    if run is None or run.boot != boot_id():
        return False
    seen = stat(run.pid)
    return seen is not None and seen.start == run.start and not seen.dead


def everything() -> Iterator[Stat]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (seen := stat(int(entry))) is not None:
            yield seen


def session_of(run: RunRecord) -> list[int]:
    """The living processes of a run's session, its leader included, even when the leader is gone."""
    if run.boot != boot_id():
        return []
    leader = stat(run.pid)
    if leader is not None and leader.start != run.start:
        return []  # the number was given out again, which cannot be while the session has members
    return [seen.pid for seen in everything() if seen.session == run.pid and not seen.dead]


def holders_of(lock: Path) -> list[int]:
    """The processes that have a lock file open: descendants that left the session, too."""
    try:
        wanted = lock.stat()
    except FileNotFoundError:
        return []
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid())
    return [pid for pid in pids if any(_same_file(fd, wanted) for fd in _descriptors(pid))]


def _descriptors(pid: int) -> list[str]:
    try:
        return [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def _same_file(link: str, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(link), wanted)
    except OSError:
        return False


def reap(run: RunRecord) -> int | None:
    """Buries the recorded process if it is a dead child of ours. Its exit code, negative for a signal; else None."""
    seen = stat(run.pid)
    if seen is None or seen.start != run.start or not seen.dead:
        return None
    try:
        pid, status = os.waitpid(run.pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if pid else None


def dead_strangers() -> set[tuple[int, int]]:
    """Dead children of ours from other sessions, as (pid, start): orphans of workloads that came to us."""
    mine, session = os.getpid(), os.getsid(0)
    return {(s.pid, s.start) for s in everything() if s.dead and s.parent == mine and s.session != session}


def listening_ports(pids: list[int]) -> list[int]:
    """The TCP ports on which any of these processes listens, sorted."""
    inodes = {os.readlink(fd) for pid in pids for fd in _descriptors(pid) if _is_socket(fd)}
    return sorted({port for inode, port in _listeners() if f"socket:[{inode}]" in inodes})


def _is_socket(link: str) -> bool:
    try:
        return os.readlink(link).startswith("socket:")
    except OSError:
        return False


def _listeners() -> Iterator[tuple[str, int]]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == _LISTEN:
                yield fields[9], int(fields[1].rpartition(":")[2], 16)

"""Runs a job's commands one after the other and writes down how it ended, whether or not the daemon lives.

Run as ``python -I -S runner.py FOLDER UID``. It takes the job's lock and records its run before it does anything, and
a job with such a record is never run again: not run, or run once. A build works in a writable copy of its tree that
never moves (installed scripts name their own place) and is published by a link once it is complete.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from reconciler.drivers.process import shim

TIMED_OUT = 124
GRACE = 5.0  # seconds between SIGTERM and SIGKILL for a command that took too long
TICK = 0.02


def main(folder: str, uid: str) -> NoReturn:
    shim.isolate()
    shim.take_lock(folder)
    record = shim.load(folder, "record.json")
    if record is None or record["uid"] != uid:
        sys.exit(shim.UNWANTED)
    if shim.load(folder, "run.json") is not None:
        sys.exit(shim.BUSY)
    shim.record_run(folder, "")
    launch: dict[str, Any] = shim.load(folder, "launch.json") or {}
    code, reason = attempt(launch)
    shim.store(folder, "exit.json", {"code": code, "at": time.time(), "reason": reason})
    sys.exit(0)


def attempt(launch: dict[str, Any]) -> tuple[int, str]:
    """(exit code, reason). A failure of this program's own work is a failed job with its reason, too."""
    try:
        if launch["build"]:
            return build(launch)
        return run_all(launch)
    except OSError as error:
        return shim.CANNOT_EXECUTE, f"{error.filename or 'job'}: {error.strerror}"
    except KeyError as error:
        return shim.CANNOT_EXECUTE, f"user {launch['user']}: {error.args[0]}; create it on the server"


def run_all(launch: dict[str, Any]) -> tuple[int, str]:
    deadline = time.monotonic() + launch["timeout"]
    for command in launch["commands"]:
        code = run(command, launch, deadline)
        end_group(0)
        if code == TIMED_OUT and time.monotonic() >= deadline:
            return code, f"{command[0]}: timed out after {launch['timeout']:g} s"
        if code != 0:
            return code, f"{command[0]}: exit code {code}"
    return 0, ""


def run(command: list[str], launch: dict[str, Any], deadline: float) -> int:
    """One command in a process group of its own; its exit code as a shell counts it."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        shim.become(shim.find(command[0], launch["cwd"], launch["env"].get("PATH", "")), command, launch)
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)  # from both sides: whoever of the two comes first, the group is there
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if time.monotonic() >= deadline:
            end_group(pid)
            os.waitpid(pid, 0)
            return TIMED_OUT
        time.sleep(TICK)


def end_group(pid: int) -> None:
    """Ends what is left of this session besides this process: asks the group ``pid`` (0: nobody) first, then kills."""
    if pid:
        os.killpg(pid, signal.SIGTERM)
        limit = time.monotonic() + GRACE
        while time.monotonic() < limit and others():
            time.sleep(TICK)
    while left := others():
        for member in left:
            kill_if_there(member)
        time.sleep(TICK)


def kill_if_there(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def others() -> list[int]:
    """The living members of this session besides this process."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and is_member(int(entry))]


def is_member(pid: int) -> bool:
    try:
        same = pid != os.getpid() and os.getsid(pid) == os.getsid(0)
    except ProcessLookupError:
        return False
    return same and shim.state_and_start(pid)[0] not in ("Z", "X")


def build(launch: dict[str, Any]) -> tuple[int, str]:
    """Copies the tree, runs the commands in it, makes it read-only, publishes it. A failure leaves no tree."""
    source, place, result = (launch["build"][name] for name in ("source", "place", "result"))
    shutil.copytree(source, place, symlinks=True)
    hand_over(place, launch["user"])
    code, reason = run_all(launch)
    if code == 0:
        make_read_only(place)
        os.sync()
        publish(place, result)
    else:
        shutil.rmtree(place, ignore_errors=True)
    return code, reason


def hand_over(place: str, user: str) -> None:
    """Makes a copied tree writable, and the property of the user that builds in it: what is within before what is
    around it, so that nobody can exchange what is not yet handed over."""
    owner = shim.account(user)[1:] if user and os.geteuid() == 0 else (-1, -1)
    for path in reversed(every_path(place)):
        if not os.path.islink(path):
            os.chmod(path, os.stat(path).st_mode | 0o200)
        os.chown(path, *owner, follow_symlinks=False)


def every_path(place: str) -> list[str]:
    found = [place]
    for folder, folders, files in os.walk(place):
        found += [os.path.join(folder, name) for name in (*folders, *files)]
    return found


def make_read_only(place: str) -> None:
    """Takes a finished tree back, and every write permission with it: each folder first, and what is in it once nobody
    else can change its entries. Links are never followed."""
    owner = (os.geteuid(), os.getegid())
    for _, folders, files, fd in os.fwalk(place):
        os.fchown(fd, *owner)
        os.fchmod(fd, 0o555)
        for name in (*folders, *files):
            os.chown(name, *owner, dir_fd=fd, follow_symlinks=False)
            mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                os.chmod(name, mode & 0o555 | 0o444, dir_fd=fd)


def publish(place: str, result: str) -> None:
    """Gives the tree its name, unless another build was first."""
    try:
        os.symlink(os.path.basename(place), result)
    except FileExistsError:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

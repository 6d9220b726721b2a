"""Becomes the workload. Run as ``python -I -S shim.py FOLDER UID`` by the daemon, in a process of its own.

It leads a session of its own, takes the lock of the instance's folder, writes its pid and start time there, and only
then turns into the program: there is no moment in which something runs that is on no record. The lock stays open in
the program, so that whatever outlives it can be found. Nothing but the standard library is imported, and the daemon
never imports its effects: all that it needs is in the folder, and secrets are on no command line.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time

TYPE_CHECKING = False  # by its name alone type checkers know it; importing typing would double the time to start
if TYPE_CHECKING:
    from typing import Any, NoReturn

BUSY = 111  # it runs already: another shim was first
UNWANTED = 112  # what this was started for is no longer so
CANNOT_EXECUTE = 126
NOT_FOUND = 127


def main(folder: str, uid: str) -> NoReturn:
    isolate()
    lock = take_lock(folder)
    record = load(folder, "record.json")
    if record is None or record["uid"] != uid or record["intent"] != "run":
        sys.exit(UNWANTED)
    if is_alive(load(folder, "run.json")):
        sys.exit(BUSY)
    launch: dict[str, Any] = load(folder, "launch.json") or {}
    program = find(launch["argv"][0], launch["cwd"], launch["env"].get("PATH", ""))
    record_run(folder, program)
    os.set_inheritable(lock, True)  # noqa: FBT003 - it takes no keyword
    become(program, launch["argv"], launch)


def isolate() -> None:
    """Leaves the daemon: own session, no descriptors but the standard three, signals as they are by default."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    os.umask(0o022)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):  # those that the interpreter has touched
        signal.signal(number, signal.SIG_DFL)


def take_lock(folder: str) -> int:
    lock = os.open(f"{folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(BUSY)
    return lock


def load(folder: str, name: str) -> dict[str, Any] | None:
    try:
        with open(f"{folder}/{name}", "rb") as file:
            value: dict[str, Any] = json.load(file)
            return value
    except FileNotFoundError:
        return None


def is_alive(run: dict[str, Any] | None) -> bool:
    if run is None or run["boot"] != boot_id():
        return False
    state, start = state_and_start(run["pid"])
    return start == run["start"] and state not in ("Z", "X")


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def state_and_start(pid: int) -> tuple[str, int]:
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    return fields[0], int(fields[19])


def record_run(folder: str, program: str) -> None:
    _, start = state_and_start(os.getpid())
    run = {"pid": os.getpid(), "start": start, "boot": boot_id(), "program": program, "since": time.time()}
    store(folder, "run.json", run)


def store(folder: str, name: str, value: dict[str, Any]) -> None:
    """Writes a record whole or not at all."""
    aside = f"{folder}/.{name}.{os.getpid()}"
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(aside, f"{folder}/{name}")


def find(command: str, cwd: str, path: str) -> str:
    """The program's file: as written where it has a slash (from ``cwd``), else the first on ``path``."""
    if "/" in command:
        return os.path.join(cwd, command)
    for folder in path.split(":"):
        candidate = os.path.join(cwd, folder, command)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return command


def become(program: str, argv: list[str], launch: dict[str, Any]) -> NoReturn:
    """Turns into ``program``, or says in the log why not, and ends as a shell would."""
    try:
        drop_to(launch["user"])
        os.chdir(launch["cwd"])
        os.execve(program, argv, launch["env"])
    except FileNotFoundError:
        fail(NOT_FOUND, f"{argv[0]}: command not found in {launch['cwd']} nor on {launch['env'].get('PATH', '')}")
    except OSError as error:
        fail(CANNOT_EXECUTE, f"{program}: {error.strerror} (from {launch['cwd']}, user {launch['user'] or 'own'})")
    except KeyError as error:
        fail(CANNOT_EXECUTE, f"user {launch['user']}: {error.args[0]}; create it on the server")


def drop_to(user: str) -> None:
    """Becomes ``user`` (a name or a number) where this process may; else it stays who it is."""
    if user and os.geteuid() == 0:
        name, uid, gid = account(user)
        os.initgroups(name, gid)
        os.setgid(gid)
        os.setuid(uid)


def account(user: str) -> tuple[str, int, int]:
    """Login name, user id and group id. Raises ``KeyError`` with a text for an unknown one."""
    import pwd  # noqa: PLC0415 - most workloads need none, and this program's start is waited for

    entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    return entry.pw_name, entry.pw_uid, entry.pw_gid


def fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"reconciler: {message}\n")
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from reconciler.errors import AlreadyRunning, TransientError
from reconciler.store.lock import StateLock


def test_only_one_holds_it(tmp_path):
    """The second is told who the first is; after its release the way is free."""
    place = tmp_path / "state" / "lock"
    with StateLock(place):
        assert place.read_text() == f"{os.getpid()}\n"
        with pytest.raises(AlreadyRunning, match=f"state: is in use by process {os.getpid()}; stop that one"):
            StateLock(place)
    StateLock(place).release()


def test_is_its_owners(tmp_path):
    """Nobody else can open the file, and so hold up the daemon."""
    with StateLock(tmp_path / "lock"):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_release_twice_is_fine(tmp_path):
    """A release that is repeated touches nobody else's file."""
    lock = StateLock(tmp_path / "lock")
    lock.release()
    lock.release()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    """A planted link would have us write into somebody's file."""
    (tmp_path / "victim").write_text("keep")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(TransientError, match="lock: cannot be opened"):
        StateLock(tmp_path / "lock")
    assert (tmp_path / "victim").read_text() == "keep"


@pytest.mark.real
def test_ends_with_its_holder_and_not_with_its_children(tmp_path):
    """A holder that is killed lets go, though a workload that it started lives on."""
    code = (
        "import subprocess, sys, time; from pathlib import Path; from reconciler.store.lock import StateLock;"
        "lock = StateLock(Path(sys.argv[1])); child = subprocess.Popen(['sleep', '60'], start_new_session=True);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    place = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", code, place], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(AlreadyRunning, match=str(holder.pid)):
            StateLock(place)
        holder.kill()
        holder.wait(timeout=30)
        StateLock(place).release()
    finally:
        holder.stdout.close()
        os.kill(child, signal.SIGKILL)

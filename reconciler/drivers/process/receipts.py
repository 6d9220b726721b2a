"""What a job's files and the kernel say together: whether it waits, runs, ended, or was lost."""

from __future__ import annotations

from pathlib import Path

from reconciler.drivers.process import layout, proc
from reconciler.drivers.process.record import JobExit, Reader, RunRecord
from reconciler.observed.snapshot import JobState


def state(reader: Reader, folder: Path) -> JobState:
    """Raises ``Damaged``. How it ended is read after the look at the process: it may just have ended."""
    run = reader.read(folder / layout.RUN, RunRecord)
    running = proc.alive(run)
    ended = reader.read(folder / layout.EXIT, JobExit)
    if ended is not None:
        return JobState.SUCCEEDED if ended.code == 0 else JobState.FAILED
    if run is None:
        return JobState.CREATED
    return JobState.RUNNING if running else JobState.LOST

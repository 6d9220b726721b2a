"""Changes on disk that a power cut or a kill leaves either whole or not begun."""

from __future__ import annotations

import ctypes
import os
import shutil
import uuid
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def write(path: Path, data: bytes) -> None:
    """Replaces ``path`` (mode 0600): written aside, flushed, renamed."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames and deletions in ``folder`` last."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_all_below(folder: Path) -> None:
    """Flushes a freshly written tree with one call for its file system, instead of one for each file."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), f"syncfs {folder}")
    finally:
        os.close(fd)


def move(source: Path, target: Path) -> None:
    """Renames, and makes it last."""
    os.rename(source, target)
    sync_folder(target.parent)


def unlink(path: Path) -> None:
    """Deletes a file, and makes it last; one that is gone already is success."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def detach(folder: Path, trash: Path) -> Path:
    """Takes a folder out of sight in one step; the answer is where it lies until it is erased."""
    # without write permission on the folder itself its ".." cannot be changed, so a read-only tree would not move
    os.chmod(folder, 0o700)
    place = trash / f"{folder.name}.{uuid.uuid4().hex}"
    move(folder, place)
    sync_folder(folder.parent)
    return place


def erase(folder: Path) -> None:
    """Deletes a detached tree, read-only parts included. Never follows a symbolic link."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    if os.geteuid() != 0:
        _make_writable(folder)  # root needs no permission, and must not be led into changing any
    shutil.rmtree(folder)


def _make_writable(folder: Path) -> None:
    os.chmod(folder, 0o700)
    for place, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(place, name)
            if not path.is_symlink():
                os.chmod(path, 0o700)

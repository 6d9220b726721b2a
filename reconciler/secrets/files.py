"""Reading a file that holds a secret: below an allowed root, through no symbolic link, of bounded size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_LIMIT = 64 << 10


class Refused(Exception):
    """The file is not there, not allowed or not readable. Which of them it is, is nobody's business."""


class TooLarge(Exception):
    """The file has more than ``SIZE_LIMIT`` bytes."""


def read_below(root: Path, location: str) -> bytes:
    """The bytes of the file at ``location``: below ``root`` if it is absolute, else relative to it. The root itself
    is the operator's word and may be reached through links. Raises ``Refused`` and ``TooLarge``."""
    try:
        with _opened(os.fspath(root), os.O_DIRECTORY) as folder:
            return _walk(folder, _parts(root, location))
    except (OSError, ValueError) as error:
        raise Refused from error


def _parts(root: Path, location: str) -> list[str]:
    inside = location
    if location.startswith("/"):
        prefix = f"{os.fspath(root).rstrip('/')}/"
        if not location.startswith(prefix):
            raise Refused
        inside = location.removeprefix(prefix)
    parts = [part for part in inside.split("/") if part != "."]
    if not parts or any(part in ("", "..") for part in parts):
        raise Refused
    return parts


def _walk(folder: int, parts: list[str]) -> bytes:
    if len(parts) == 1:
        with _opened(parts[0], os.O_NOFOLLOW | os.O_NONBLOCK, within=folder) as opened:
            return _content(opened)
    with _opened(parts[0], os.O_NOFOLLOW | os.O_DIRECTORY, within=folder) as inner:
        return _walk(inner, parts[1:])


def _content(opened: int) -> bytes:
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        raise Refused
    with open(opened, "rb", closefd=False) as stream:
        data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise TooLarge
    return data


@contextmanager
def _opened(name: str, flags: int, *, within: int | None = None) -> Iterator[int]:
    opened = os.open(name, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=within)
    try:
        yield opened
    finally:
        os.close(opened)

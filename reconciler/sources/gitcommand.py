"""One way to run git: read-only, without its users' configuration, hooks, prompts or network, and never for ever.

``--git-dir`` names the repository outright. Git then neither looks for one in the parent directories nor refuses one
that another user owns, so that a daemon running as root may read its operator's repository; what the ownership check
guards against (a repository's own configuration that runs programs) is switched off here, by name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reconciler.errors import SourceUnavailable

ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}

STRAY = ("GIT_COMMON_DIR", "GIT_GRAFT_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_SHALLOW_FILE")
"""Variables that a git hook hands to what it starts, and that would lead us to another repository's objects."""

OPTIONS = ("--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True)
class Completed:
    """How a git process ended; ``error`` is its last line of complaint."""

    code: int
    output: bytes
    error: str


class GitRunner(Protocol):
    """Runs git with these arguments; one call is one process."""

    def __call__(self, arguments: Sequence[str], *, stdin: bytes = b"") -> Completed: ...


class GitCommand:
    """Runs git on one repository; each call has ``timeout`` seconds and raises ``SourceUnavailable`` past them."""

    def __init__(self, git_dir: Path, *, timeout: float = 30.0) -> None:
        self._git_dir = git_dir
        self._timeout = timeout

    def __call__(self, arguments: Sequence[str], *, stdin: bytes = b"") -> Completed:
        command = [*_without_stray(), "git", f"--git-dir={self._git_dir}", *OPTIONS, *arguments]
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            process = self._start(command, given.fileno())
            return self._finish(process, arguments[0])

    def _start(self, command: list[str], stdin: int) -> Any:
        cannot = "git cannot be started; install it, or put it on the PATH"
        try:
            import git  # noqa: PLC0415  # it takes its time, and only sources in git need the program that it looks for
        except ImportError as error:
            raise SourceUnavailable(cannot) from error
        try:
            return git.Git(os.sep).execute(
                command, istream=stdin, as_process=True, env=ENVIRONMENT, start_new_session=True
            )
        except (git.GitCommandNotFound, OSError) as error:
            raise SourceUnavailable(cannot) from error

    def _finish(self, process: Any, verb: str) -> Completed:
        try:
            output, complaint = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise SourceUnavailable(
                f"{self._git_dir}: git {verb} gave no answer within {self._timeout:g} s; is its disk there?"
            ) from error
        return Completed(process.returncode, output, _last_line(complaint))


def _without_stray() -> list[str]:
    present = [name for name in STRAY if name in os.environ]
    return ["env", *(part for name in present for part in ("-u", name))] if present else []


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def find_git_dir(repository: Path) -> Path:
    """The git directory of a repository, bare or with a work tree. Raises ``SourceUnavailable``."""
    for candidate in (repository / ".git", repository):
        if candidate.is_file():
            return _linked(candidate)
        if (candidate / "HEAD").exists() and (candidate / "objects").is_dir():
            return candidate
    found = "is not a git repository" if repository.is_dir() else "is not there"
    raise SourceUnavailable(f"{repository}: {found}; check the path of the source, or run `git init` in it")


def _linked(pointer: Path) -> Path:
    """Where a ``.git`` file (a linked work tree) points to."""
    head, _, target = pointer.read_text("utf-8", "surrogateescape").strip().partition(": ")
    if head != "gitdir":
        raise SourceUnavailable(f"{pointer}: is not a link to a git directory")
    return (pointer.parent / target).resolve()


def common_dir(git_dir: Path) -> Path:
    """Where the branches are: the same, or for a linked work tree its main repository's git directory."""
    link = git_dir / "commondir"
    return (git_dir / link.read_text("utf-8").strip()).resolve() if link.is_file() else git_dir

"""A real repository to read from, and a runner that counts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reconciler.sources.gitcommand import Completed, GitCommand


class Repository:
    """A repository with a work tree, driven by plain git."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.path, input=stdin, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode().strip()

    def write(self, path: str, text: str | bytes) -> Path:
        place = self.path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        return place

    def commit(self, subject: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


class Counting:
    """Runs git, and keeps the verb of every process."""

    def __init__(self, git_dir: Path) -> None:
        self._command = GitCommand(git_dir)
        self.verbs: list[str] = []

    def __call__(self, arguments: Sequence[str], *, stdin: bytes = b"") -> Completed:
        self.verbs.append(arguments[0])
        return self._command(arguments, stdin=stdin)


@pytest.fixture
def repository(tmp_path: Path, needs: Callable[..., str]) -> Repository:
    needs("git", get="install git")
    made = Repository(tmp_path / "repository")
    made.path.mkdir()
    made.git("init", "-q")
    return made


@pytest.fixture
def counting(repository: Repository) -> Counting:
    return Counting(repository.path / ".git")

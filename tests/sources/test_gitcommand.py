from __future__ import annotations

import os
from pathlib import Path

import pytest
from git import Git as _Git  # noqa: F401 - asks the real program for its version, before a test replaces it

from reconciler.errors import SourceUnavailable
from reconciler.sources.git import GitSource
from reconciler.sources.gitcommand import GitCommand

pytestmark = pytest.mark.real


def program(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    made = folder / "git"
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)
    return folder


def test_a_git_that_hangs_is_ended_with_what_it_started(repository, tmp_path, monkeypatch):
    """Past its time a process is killed with its children, and the source is unavailable."""
    pids = tmp_path / "pids"
    folder = program(tmp_path / "bin", f"sleep 60 & echo $! $$ > {pids}; wait")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(SourceUnavailable, match=r"no answer within 0\.5 s"):
        GitCommand(repository.path / ".git", timeout=0.5)(["rev-list"])
    for pid in pids.read_text().split():
        status = Path(f"/proc/{pid}/status")
        assert not status.exists() or "zombie" in status.read_text()


def test_a_missing_git_is_said(repository, tmp_path, monkeypatch):
    """Without the program the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceUnavailable, match="git cannot be started; install it"):
        GitCommand(repository.path / ".git")(["version"])


def test_sees_no_configuration_but_its_own(repository, tmp_path, monkeypatch):
    """Neither prompts, nor the network, nor the user's files, nor what a hook left in the environment."""
    folder = program(tmp_path / "bin", "env")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "3")
    lines = GitCommand(repository.path / ".git")(["version"]).output.decode().splitlines()
    assert {
        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=0", "GIT_TERMINAL_PROMPT=0",
        "GIT_ALLOW_PROTOCOL=", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1",
    } <= set(lines)  # fmt: skip
    assert not [line for line in lines if line.startswith("GIT_OBJECT_DIRECTORY")]


def test_a_repository_cannot_make_us_run_its_programs(repository):
    """Hooks, monitors, pagers, signature checkers and lazy fetches of its configuration stay where they are."""
    repository.write("a.yaml", "one")
    commit = repository.commit()
    evil = repository.write("evil", f"#!/bin/sh\ntouch {repository.path}/marker\n")
    evil.chmod(0o755)
    for key, value in {
        "core.fsmonitor": evil, "core.pager": evil, "core.sshCommand": evil, "gpg.program": evil,
        "log.showSignature": "true", "extensions.partialClone": "origin", "remote.origin.url": f"ext::{evil}",
        "remote.origin.promisor": "true", "protocol.ext.allow": "always",
    }.items():  # fmt: skip
        repository.git("config", key, str(value))
    blob = repository.git("rev-parse", f"{commit}:a.yaml")
    git = GitSource("root", repository=repository.path, branch="main")
    git.revision()
    (repository.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceUnavailable):
        git.read([blob])
    assert not (repository.path / "marker").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_reads_a_repository_of_another_user(repository):
    """A daemon that runs as root reads its operator's repository."""
    repository.write("a.yaml", "one")
    commit = repository.commit()
    for place in (repository.path, *repository.path.rglob("*")):
        os.chown(place, 12345, 12345, follow_symlinks=False)
    assert GitSource("root", repository=repository.path, branch="main").revision().id == commit

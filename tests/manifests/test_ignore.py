"""``.reconcilerignore`` against what git says of the same rules."""

from __future__ import annotations

import subprocess

import pytest

from reconciler.manifests.ignore import NOTHING, ignore_of

RULES = {
    ".reconcilerignore": "*.log\n/build\n!keep.log\ndocs/**/draft.yaml\ntmp/\n# remark\n\\#odd\nspace\\ \n",
    "apps/.reconcilerignore": "!tmp.log\nsecret.yaml\n/only-here.yaml\n",
    "tmp/.reconcilerignore": "!wanted.yaml\n",
}
PATHS = [
    "a.log",
    "keep.log",
    "apps/a.log",
    "apps/tmp.log",
    "apps/deep/tmp.log",
    "build/x.yaml",
    "apps/build/x.yaml",
    "build",
    "docs/draft.yaml",
    "docs/a/b/draft.yaml",
    "docs/a/final.yaml",
    "tmp/wanted.yaml",
    "apps/tmp/x.yaml",
    "apps/secret.yaml",
    "apps/deep/secret.yaml",
    "secret.yaml",
    "apps/only-here.yaml",
    "apps/deep/only-here.yaml",
    "#odd",
    "space ",
    "web.yaml",
]


@pytest.mark.real
def test_agrees_with_git(tmp_path):
    """Every path is ignored exactly when git would ignore it by the same rules."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for path, text in RULES.items():
        file = tmp_path / path.replace(".reconcilerignore", ".gitignore")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "--stdin", "-z"]
    found = subprocess.run(command, input="\0".join(PATHS).encode(), capture_output=True, check=False)
    ignore = ignore_of({path: text.encode() for path, text in RULES.items()})
    assert {path for path in PATHS if ignore.matches(path)} == set(filter(None, found.stdout.decode().split("\0")))


@pytest.mark.parametrize(
    ("path", "ignored"),
    [("a.log", True), ("keep.log", False), ("apps/tmp.log", False), ("tmp/wanted.yaml", True), ("web.yaml", False)],
)
def test_rules_nearer_by_win_and_folders_stay_ignored(path, ignored):
    """A nested file overrules the one above it, but brings back nothing out of an ignored folder."""
    assert ignore_of({path: text.encode() for path, text in RULES.items()}).matches(path) is ignored


def test_without_rules_nothing_is_ignored():
    """No file of rules, no effect; other files' texts are no rules."""
    assert not NOTHING.matches("a.log")
    assert not ignore_of({"apps/.gitignore": b"*"}).matches("apps/a.log")

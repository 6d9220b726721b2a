"""The repository as a whole: its top level, its scripts, its names and sizes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "reconciler").rglob("*.py"))
TOP_LEVEL = {
    *("pyproject.toml", "reconciler", "schemas", "examples", "tests", "systemd", "README.md"),
    *("LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", ".gitignore", ".pre-commit-config.yaml", ".ci"),
}
LINKS = {"reconciler/cli/demo/quickstart"}  # the package brings the example along; it is written once
SCRIPTS = {".ci/run", "examples/run", "tests/lock", "tests/parts", "tests/run", "tests/venv"}
VAGUE = {"utils", "util", "helper", "helpers", "manager", "managers", "misc", "common"}


def place(module: Path) -> str:
    return str(module.relative_to(ROOT))


def test_the_top_level_is_fixed(tracked):
    """Nothing new lies at the top, where everybody looks first."""
    assert {path.split("/")[0] for path in tracked} - TOP_LEVEL == set()


def test_scripts_are_executable(tracked):
    """What people are told to run can be run, and nothing else can."""
    assert {path for path, mode in tracked.items() if mode == "100755"} == SCRIPTS


def test_every_file_is_a_file(tracked):
    """No submodule, and no symbolic link but the one that is meant."""
    assert {path: mode for path, mode in tracked.items() if mode not in {"100644", "100755"}} == dict.fromkeys(
        LINKS, "120000"
    )


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_scripts_stop_at_the_first_failure(script):
    """Each script is bash, and strict."""
    lines = (ROOT / script).read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines


def test_no_file_knows_where_this_clone_lies(tracked):
    """Nothing committed depends on the place of one clone or on one person's home."""
    private = (str(ROOT), f"{Path.home()}/")
    texts = {path: (ROOT / path).read_bytes() for path in tracked if path not in LINKS}
    assert [path for path, text in texts.items() if any(place.encode() in text for place in private)] == []


def test_no_module_has_a_vague_name(tracked):
    """A module is named after what it is about."""
    assert [path for path in tracked if Path(path).stem in VAGUE] == []


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_modules_are_small_and_say_what_they_are_for(module):
    """At most 400 lines a file and 40 a function; the first statement is the module's docstring."""
    tree = ast.parse(module.read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = {node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > 40} == {}
    assert len(module.read_text().splitlines()) <= 400
    assert ast.get_docstring(tree)


def test_tests_have_docstrings():
    """Every test says in a sentence what it holds the program to."""
    silent = [
        f"{place(module)}::{node.name}"
        for module in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []

"""The pure rooms beyond their imports, which import-linter sees to: no clock, no file, nothing printed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "reconciler"
ROOMS = ("manifests", "desired", "observed", "plan", "status", "operations")
SHELL = {PACKAGE / "manifests" / "schema.py"}  # run by hand and by CI, to write schemas/
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
BUILTINS = {"open", "print", "input", "exec", "eval", "breakpoint"}

PURE = sorted({path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")} - SHELL)
PURE += sorted(path for name in ("render.py", "compare.py") for path in (PACKAGE / "drivers").rglob(name))


def impurities(tree: ast.AST) -> list[str]:
    """What in a module reaches outside, with its line."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in BUILTINS:
                found.append(f"{node.lineno}: {name}()")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name), args=arguments) if (
                name in CLOCKS - {"fromtimestamp"}
                or (name == "fromtimestamp" and len(arguments) + len(node.keywords) < 2)
            ):
                found.append(f"{node.lineno}: {name}()")
            case ast.ImportFrom(module="pathlib", names=names):
                found += [f"{node.lineno}: {alias.name}" for alias in names if not alias.name.startswith("Pure")]
            case ast.Import(names=names):
                found += [f"{node.lineno}: {alias.name}" for alias in names if alias.name == "pathlib"]
            case ast.Global():
                found.append(f"{node.lineno}: global")
    return found


@pytest.mark.parametrize("module", PURE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_pure_modules_reach_nowhere(module):
    """A pure function's answer depends on its arguments alone."""
    assert impurities(ast.parse(module.read_text())) == []


@pytest.mark.parametrize(
    "line",
    ["print(1)", "open('x')", "datetime.now(UTC)", "from pathlib import Path", "import pathlib", "date.today()"],
)
def test_reaching_out_is_noticed(line):
    """The check sees what it is there to see."""
    assert impurities(ast.parse(line))


def test_time_that_is_given_may_be_computed_with():
    """Formatting a time that came as an argument reads no clock."""
    assert impurities(ast.parse("datetime.fromtimestamp(seconds, UTC)\nfrom pathlib import PurePosixPath")) == []

"""Prints: tables that fit, or the answer itself as JSON or YAML. Colours only on a terminal, never with NO_COLOR."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.cli.options import Output
from reconciler.cli.text import safe

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100
STYLES = {
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "bold red",
    "unreachable": "bold red",
    "unknown": "magenta",
    "starting": "cyan",
    "failed": "bold red",
    "error": "bold red",
    "warning": "yellow",
    "succeeded": "green",
    "passed": "green",
    "running": "cyan",
}


@dataclass(frozen=True, slots=True)
class Column:
    """``fold`` may break over lines; nothing else is ever cut. ``wide`` is only shown when asked for."""

    title: str
    text: Callable[[dict[str, Any]], object]
    fold: bool = False
    wide: bool = False
    style: bool = False


def console() -> Console:
    """As wide as the terminal; 100 columns where there is none."""
    return _console(None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH)


def _console(width: int | None) -> Console:
    from rich.console import Console

    return Console(width=width, markup=False, highlight=False, emoji=False)


def line(text: str = "", *, style: str = "") -> None:
    """One line, never wrapped in the middle by us."""
    console().print(safe(text), style=style or None, soft_wrap=True)


def items(
    found: Sequence[dict[str, Any]],
    columns: Iterable[Column],
    *,
    output: Output,
    name: Callable[[dict[str, Any]], str],
    nothing: str,
) -> None:
    """A list, in the format that was asked for."""
    if output in {Output.JSON, Output.YAML}:
        document(list(found), output=output)
    elif output is Output.NAME:
        for item in found:
            line(name(item))
    elif not found:
        print(nothing, file=sys.stderr)
    else:
        table(found, [c for c in columns if not c.wide or output is Output.WIDE], wide=output is Output.WIDE)


def table(found: Iterable[dict[str, Any]], columns: Sequence[Column], *, wide: bool = False) -> None:
    """Columns as wide as they need to be; the folding one takes what is left. ``wide`` never folds."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        folds = column.fold and not wide
        made.add_column(column.title, no_wrap=not folds, overflow="fold" if folds else "ignore")
    for item in found:
        cells = [(_cell(column.text(item)), column.style) for column in columns]
        made.add_row(*(Text(text, style=STYLES.get(text, "") if styled else "") for text, styled in cells))
    printer = console()
    if wide:
        printer = _console(
            max(printer.width, printer.measure(made, options=printer.options.update(width=10_000)).maximum)
        )
    printer.print(made, crop=False)


def _cell(value: object) -> str:
    return "-" if value in {"", None} else safe(value)


def document(value: object, *, output: Output) -> None:
    """The answer itself."""
    if output is Output.JSON:
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    from ruamel.yaml import YAML

    writer = YAML()
    writer.width = 4096
    writer.dump(value, sys.stdout)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """``name  value`` lines; what is empty is left out. A value of several lines keeps them, indented."""
    shown = [(name, safe(value)) for name, value in pairs if value not in ("", None, [], {})]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *rest = value.split("\n")
        line(f"{name:<{width}}  {first}")
        for more in rest:
            line(f"{'':<{width}}  {more}")

"""The verbs, put together; and how every one of them ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer._click.exceptions import ClickException, UsageError  # typer brings its own click and names it nowhere

from reconciler.cli import asking, checking, control, demo, history, planning, running, showing
from reconciler.errors import ReconcilerError

OK, ERROR, CHANGES, USAGE, INTERRUPTED = 0, 1, 2, 64, 130

EPILOG = (
    "Exit codes: 0 all is well; 1 an error; 2 there are changes (plan, diff), or it is not ready (wait); "
    "64 the command was not understood. Read verbs ask the daemon at RECONCILER_URL "
    "(http://127.0.0.1:7780 when not set), with RECONCILER_TOKEN when it wants one."
)

app = typer.Typer(
    name="reconciler",
    help="Git says what should be; this keeps servers that way, and tells why when they are not.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for group in (demo, running, planning, showing, asking, history, control, checking):
    group.register(app)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line. Errors are one line on standard error, never a traceback."""
    try:
        code = app(args=list(arguments), prog_name="reconciler", standalone_mode=False)
    except UsageError as wrong:
        wrong.show()
        return USAGE
    except ClickException as wrong:
        wrong.show()
        return ERROR
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ReconcilerError as failed:
        return _said(str(failed))
    except Exception as defect:  # the last door: a person gets a line, and the traceback when they ask for it
        if os.environ.get("RECONCILER_DEBUG"):
            raise
        return _said(f"a defect: {type(defect).__name__}: {defect}; RECONCILER_DEBUG=1 shows where")
    return int(code or OK)


def _said(message: str) -> int:
    first, *rest = message.splitlines() or ["failed"]
    print(f"reconciler: {first}", *rest, sep="\n", file=sys.stderr)
    return ERROR

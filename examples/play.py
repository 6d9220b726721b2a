"""The quickstart, by somebody who has cloned the repository: started, tried, cleaned up after. Run by `run.py`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from reconciler.cli.demo import acts
from reconciler.cli.demo.stage import Failed, free_port
from rehearsal import rehearse


def main() -> int:
    """0 when all went well; 1 with the reason, and the end of the daemon's log, when it did not."""
    wish = arguments()
    if wish.check:
        return check(acts.Demo(Path(tempfile.mkdtemp(prefix="reconciler-check-")), command="examples/run"))
    elsewhere = f" --state {wish.state}" if wish.state != home() else ""
    demo = acts.Demo(wish.state, command=f"examples/run{elsewhere}")
    return acts.clean(demo) if wish.clean else acts.stay(demo)


def home() -> Path:
    """Where it lies when nobody says otherwise."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "reconciler" / "quickstart"


def arguments() -> argparse.Namespace:
    """What the person wants."""
    parser = argparse.ArgumentParser(
        prog="examples/run", description="From a commit to running processes, in a minute."
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="try everything by itself, and leave nothing behind")
    choice.add_argument("--clean", action="store_true", help="end the programs and remove what the quickstart made")
    parser.add_argument(
        "--state", type=lambda text: Path(text).resolve(), default=home(), help="where it lies (%(default)s)"
    )
    return parser.parse_args()


def check(demo: acts.Demo) -> int:
    """Does what a person would, looks at what a person would see, and cleans up in any case."""
    start = time.monotonic()
    seen: set[int] = set()
    try:
        acts.begin(demo, port=free_port())
        print("\nTrying it\n", flush=True)
        for line in rehearse(demo.repository, demo.daemon, seen):
            print(f"  ✓ {line}", flush=True)
        print("\nCleaning up\n", flush=True)
        acts.retire(demo, seen)
    except KeyboardInterrupt:
        return demo.complain("interrupted")
    except Failed as failure:
        return demo.complain(str(failure))
    finally:
        strays = acts.sweep(demo)
    if strays:
        print(f"\nexamples/run: these processes were left, and had to be killed: {strays}", file=sys.stderr)
        return 1
    print(f"\nAll is well, after {time.monotonic() - start:.0f} s; nothing is left behind.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nexamples/run: interrupted")

"""Installs the package, then plays the quickstart with it. `examples/run` calls this with any Python that will do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from installation import NotInstalled, installed

PLAY = Path(__file__).resolve().parent / "play.py"


def main() -> None:
    """Becomes the play, in the environment that holds the package."""
    start = time.monotonic()
    if not {"-h", "--help"} & set(sys.argv):
        print("  installing the package (the first time takes a while) … ", end="", flush=True)
    python = installed() / "bin" / "python"
    if not {"-h", "--help"} & set(sys.argv):
        print(f"{time.monotonic() - start:.1f} s", flush=True)
    os.execv(python, [str(python), "-B", str(PLAY), *sys.argv[1:]])


if __name__ == "__main__":
    try:
        main()
    except NotInstalled as problem:
        sys.exit(f"no\n\nexamples/run: {problem}")
    except KeyboardInterrupt:
        sys.exit("\nexamples/run: interrupted")

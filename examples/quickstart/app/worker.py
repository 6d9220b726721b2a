"""Asks web for its visits every few seconds, and notes each new number in a journal in its own volume."""

import os
import signal
import sys
import time
import urllib.request
from pathlib import Path

WEB = os.environ["WEB_URL"]
JOURNAL = Path(os.environ["JOURNAL_DIR"]) / "journal.txt"


def visits() -> str:
    """What web says, or why it says nothing."""
    try:
        with urllib.request.urlopen(f"{WEB}/visits", timeout=5) as answer:
            return f"{answer.read().decode().strip()} visits"
    except OSError as error:
        return f"no answer: {error}"


def note(line: str) -> None:
    """One line more, in the journal and in the log."""
    print(line, flush=True)
    with JOURNAL.open("a") as journal:
        journal.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    last = ""
    while True:
        if (now := visits()) != last:
            note(now)
            last = now
        time.sleep(2)

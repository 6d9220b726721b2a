"""What can be done with the quickstart: visit it, stay with it, end it; and the scenes that these are made of."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli.demo import telling
from reconciler.cli.demo.stage import Daemon, Failed, Repository, Resource, end_strays, eventually, runs


@dataclass(slots=True)
class Demo:
    """One quickstart. ``command`` is how the person started it, and how they start it again."""

    folder: Path
    command: str
    repository: Repository = field(init=False)
    daemon: Daemon = field(init=False)

    def __post_init__(self) -> None:
        self.repository = Repository(self.folder / "repository")
        self.daemon = Daemon(self.folder)
        for number in (signal.SIGINT, signal.SIGTERM):  # both end it in good order, also in the background
            signal.signal(number, signal.default_int_handler)

    def complain(self, reason: str) -> int:
        """The reason, and what the daemon said last."""
        print(f"\n{self.command}: {reason}\n\nThe end of {self.daemon.log}:\n\n{self.daemon.tail()}", file=sys.stderr)
        return 1


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    start = time.monotonic()
    print(f"  {what} … ", end="", flush=True)
    try:
        yield
    except BaseException:
        print("no", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


# --- acts: 0 when all went well, else 1, with the reason said ---------------------------------------------------------


def stay(demo: Demo) -> int:
    """Starts everything, says what to try, and stays until Ctrl-C; the programs go on."""
    try:
        show(demo, ending=telling.GOES_ON)
    except KeyboardInterrupt:
        print("\n\n  stopping the daemon …", flush=True)
        demo.daemon.stop()
        print(telling.farewell(demo.command, demo.folder))
        return 0
    except Failed as failure:
        demo.daemon.stop()
        return demo.complain(str(failure))
    return 0


def visit(demo: Demo) -> int:
    """As ``stay``, but nothing is left behind."""
    try:
        show(demo, ending=telling.LEAVES_NOTHING)
    except KeyboardInterrupt:
        print("\n", flush=True)
        return _retired(demo)
    except Failed as failure:
        return demo.complain(str(failure))
    finally:
        sweep(demo)
    return 0


def clean(demo: Demo) -> int:
    """Ends the programs by asking for it, as everything here is done, then removes the folder."""
    if not (demo.repository.path / ".git").exists():
        print(f"\nThere is no quickstart in {demo.folder}.")
        return 0
    try:
        demo.daemon.start(demo.repository.path)
        retire(demo, set())
    except KeyboardInterrupt:
        return demo.complain("interrupted")
    except Failed as failure:
        return demo.complain(str(failure))
    finally:
        demo.daemon.stop()
    sweep(demo)
    print(f"\nThe programs have ended, and {demo.folder} is gone.")
    return 0


def _retired(demo: Demo) -> int:
    try:
        retire(demo, set())
    except KeyboardInterrupt:
        return demo.complain("interrupted")
    except Failed as failure:
        return demo.complain(str(failure))
    print("\nNothing is left behind.")
    return 0


# --- scenes that several acts have -----------------------------------------------------------------------------------


def show(demo: Demo, *, ending: str) -> None:
    """Begins, says what runs and what to try, and stays for as long as the daemon does."""
    resources = begin(demo)
    print(telling.picture(resources, demo.repository, demo.daemon, ending=ending), flush=True)
    while True:
        demo.daemon.alive()
        time.sleep(1)


def begin(demo: Demo, *, port: int = 0) -> list[Resource]:
    """A repository, a daemon that follows it, and everything Ready; the proxy listens on ``port`` if that is said."""
    repository, daemon = demo.repository, demo.daemon
    demo.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with saying(f"making a git repository in {repository.path}"):
        repository.prepare(port)
    with saying("starting the daemon"):
        daemon.start(repository.path)
        eventually("the daemon to answer", daemon.settled, alive=daemon.alive)
    with saying("waiting until everything is Ready"):
        return eventually("everything to be Ready", daemon.all_ready, alive=daemon.alive)


def retire(demo: Demo, seen: set[int]) -> None:
    """Says in the manifests that the resources and the proxy shall go, and waits until none of them runs."""
    repository, daemon = demo.repository, demo.daemon
    running = eventually("the daemon to answer", daemon.settled, alive=daemon.alive)
    seen.update(pid for resource in running for pid in resource.pids)
    with saying("asking for every resource to be deleted, by a commit"):
        for path in sorted(repository.path.glob("*.yaml")):
            text = path.read_text()
            if "\nkind: Resource\n" in text and "desiredState" not in text:
                path.write_text(text.rstrip("\n") + "\n  desiredState: deleted\n")
            elif "\nkind: Server\n" in text:
                path.write_text(re.sub(r"edgeProxy: .*", "edgeProxy: {kind: none}", text))
        if repository.git("status", "--porcelain"):
            repository.commit("Enough for today")
    with saying("waiting until all processes have ended"):
        eventually("the processes to end", lambda: not any(map(runs, seen)) or None, alive=daemon.alive)
        eventually("the proxy to end", daemon.without_proxy, alive=daemon.alive)
    with saying("stopping the daemon"):
        if code := daemon.stop():
            raise Failed(f"the daemon ended with exit code {code}, not 0")


def sweep(demo: Demo) -> list[int]:
    """Removes the folder. The pids of what had to be killed for that: none, when all went well."""
    demo.daemon.stop()
    strays = end_strays(demo.folder)
    shutil.rmtree(demo.folder, ignore_errors=True)
    return strays

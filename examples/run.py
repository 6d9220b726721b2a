"""The quickstart: starts it, tries it, cleans up after it. `examples/run` calls this with any Python that will do."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installation import NotInstalled, installed
from rehearsal import rehearse
from stage import Daemon, Failed, Repository, Resource, end_strays, eventually, runs


def main() -> int:
    """0 when all went well; 1 with the reason, and the end of the daemon's log, when it did not."""
    wish = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # both end it in good order, also in the background
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="reconciler-check-")) if wish.check else wish.state
    with saying("installing the package (the first time takes a while)"):
        programs = installed() / "bin"
    repository = Repository(folder / "repository")
    daemon = Daemon(programs / "reconciler", folder)
    act = check if wish.check else clean if wish.clean else stay
    return act(repository, daemon)


def arguments() -> argparse.Namespace:
    """What the person wants."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    parser = argparse.ArgumentParser(
        prog="examples/run", description="From a commit to running processes, in a minute."
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="try everything by itself, and leave nothing behind")
    choice.add_argument("--clean", action="store_true", help="end the programs and remove what the quickstart made")
    default = home / "reconciler" / "quickstart"
    parser.add_argument(
        "--state", type=lambda text: Path(text).resolve(), default=default, help="where it lies (%(default)s)"
    )
    return parser.parse_args()


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


# --- acts -------------------------------------------------------------------------------------------------------------


def stay(repository: Repository, daemon: Daemon) -> int:
    """Starts everything, says what to try, and stays until Ctrl-C."""
    try:
        resources = begin(repository, daemon)
        print(picture(resources, repository, daemon), flush=True)
        while True:
            daemon.alive()
            time.sleep(1)
    except KeyboardInterrupt:
        print("\n\n  stopping the daemon …", flush=True)
        daemon.stop()
        print(FAREWELL.format(state=daemon.folder))
        return 0
    except Failed as failure:
        daemon.stop()
        return complain(str(failure), daemon)


def check(repository: Repository, daemon: Daemon) -> int:
    """Does what a person would, looks at what a person would see, and cleans up in any case."""
    start = time.monotonic()
    seen: set[int] = set()
    try:
        begin(repository, daemon)
        print("\nTrying it\n", flush=True)
        for line in rehearse(repository, daemon, seen):
            print(f"  ✓ {line}", flush=True)
        print("\nCleaning up\n", flush=True)
        retire(repository, daemon, seen)
    except KeyboardInterrupt:
        return complain("interrupted", daemon)
    except Failed as failure:
        return complain(str(failure), daemon)
    finally:
        daemon.stop()
        strays = end_strays(daemon.folder)
        shutil.rmtree(daemon.folder, ignore_errors=True)
    if strays:
        print(f"\nexamples/run: these processes were left, and had to be killed: {strays}", file=sys.stderr)
        return 1
    print(f"\nAll is well, after {time.monotonic() - start:.0f} s; nothing is left behind.")
    return 0


def clean(repository: Repository, daemon: Daemon) -> int:
    """Ends the programs by asking for it, as everything here is done, then removes the folder."""
    if not (repository.path / ".git").exists():
        print(f"\nThere is no quickstart in {daemon.folder}.")
        return 0
    seen: set[int] = set()
    try:
        daemon.start(repository.path)
        retire(repository, daemon, seen)
    except Failed as failure:
        return complain(str(failure), daemon)
    finally:
        daemon.stop()
    end_strays(daemon.folder)
    shutil.rmtree(daemon.folder)
    print(f"\nThe programs have ended, and {daemon.folder} is gone. What is installed stays in the cache.")
    return 0


# --- scenes that several acts have -----------------------------------------------------------------------------------


def begin(repository: Repository, daemon: Daemon) -> list[Resource]:
    """A repository, a daemon that follows it, and everything Ready."""
    daemon.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with saying(f"making a git repository in {repository.path}"):
        repository.prepare()
    with saying("starting the daemon"):
        daemon.start(repository.path)
        eventually("the daemon to answer", daemon.settled, alive=daemon.alive)
    with saying("waiting until everything is Ready"):
        return eventually("everything to be Ready", daemon.all_ready, alive=daemon.alive)


def retire(repository: Repository, daemon: Daemon, seen: set[int]) -> None:
    """Says in the manifests that the resources shall go, and waits until none of their processes runs."""
    running = eventually("the daemon to answer", daemon.settled, alive=daemon.alive)
    seen.update(pid for resource in running for pid in resource.pids)
    with saying("asking for every resource to be deleted, by a commit"):
        for name in ("web.yaml", "worker.yaml"):
            path = repository.path / name
            if path.exists() and "desiredState" not in path.read_text():
                path.write_text(path.read_text().rstrip("\n") + "\n  desiredState: deleted\n")
        if repository.git("status", "--porcelain"):
            repository.commit("Enough for today")
    with saying("waiting until all processes have ended"):
        eventually("the processes to end", lambda: not any(map(runs, seen)) or None, alive=daemon.alive)
    with saying("stopping the daemon"):
        if code := daemon.stop():
            raise Failed(f"the daemon ended with exit code {code}, not 0")


def complain(reason: str, daemon: Daemon) -> int:
    """The reason, and what the daemon said last."""
    print(f"\nexamples/run: {reason}\n\nThe end of {daemon.log}:\n\n{daemon.tail()}", file=sys.stderr)
    return 1


# --- what is said ----------------------------------------------------------------------------------------------------


def picture(resources: list[Resource], repository: Repository, daemon: Daemon) -> str:
    """What runs, where, and what to try."""
    by_title = {resource.title: resource for resource in resources}
    web = by_title.get("production/web")
    lines = [f"  {r.title:<20}Ready   pid {', '.join(map(str, r.pids)):<9}{r.url}" for r in resources]
    return PICTURE.format(
        resources="\n".join(lines),
        repository=repository.path,
        url=web.url if web else "",
        pid=web.pids[0] if web and web.pids else "",
        status=daemon.url,
        programs=daemon.program.parent,
        log=daemon.log,
    )


PICTURE = """
What runs

{resources}

  repository  {repository}
  status      {status}/api/v1/status
  log         {log}

Three things to try, in another terminal

  cd {repository}
  export RECONCILER_URL={status} PATH={programs}:$PATH

  1. Change a variable and commit: it is served within seconds, and the visits go on counting.
       curl {url}
       sed -i 's/GREETING: Hello$/GREETING: Good morning/' project.yaml
       git commit -qam 'Greet politely'
       curl {url}

  2. Kill a process: it comes back, under another pid.
       kill -9 {pid}
       curl {url}

  3. Remove a manifest: the resource goes, its data stay.
       git rm -q worker.yaml && git commit -qm 'No worker'
       reconciler status

Ctrl-C stops the daemon; the programs go on without it.
"""

FAREWELL = """
The daemon has stopped. The programs go on: started again, it finds them and leaves them alone.

  examples/run            goes on
  examples/run --clean    ends the programs and removes {state}
"""

if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotInstalled as problem:
        sys.exit(f"\nexamples/run: {problem}")
    except KeyboardInterrupt:
        sys.exit("\nexamples/run: interrupted")

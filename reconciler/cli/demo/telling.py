"""What the quickstart says to the person at the terminal: what runs, where, and what to try."""

from __future__ import annotations

import shutil
from pathlib import Path

from reconciler.cli.demo.stage import Daemon, Repository, Resource


def picture(resources: list[Resource], repository: Repository, daemon: Daemon, *, ending: str) -> str:
    """What runs, where, and what to try; ``ending`` is what Ctrl-C does."""
    by_title = {resource.title: resource for resource in resources}
    web = by_title.get("production/web")
    lines = [f"  {r.title:<20}Ready   {_pids(r):<13}{r.url}".rstrip() for r in resources]
    return PICTURE.format(
        resources="\n".join(lines),
        repository=repository.path,
        url=web.url if web else "",
        status=daemon.url,
        path=_path(daemon.program),
        log=daemon.log,
        ending=ending,
    )


def farewell(command: str, folder: Path) -> str:
    """What goes on without the daemon, and how to go on or to end it."""
    clean = f"{command} --clean"
    return FAREWELL.format(on=command.ljust(len(clean)), clean=clean, folder=folder)


def _pids(resource: Resource) -> str:
    return f"pid {', '.join(map(str, resource.pids))}" if resource.pids else ""


def _path(program: Path) -> str:
    """What the person's shell lacks to find the program."""
    return "" if shutil.which("reconciler") == str(program) else f" PATH={program.parent}:$PATH"


GOES_ON = "Ctrl-C stops the daemon; the programs go on without it."
LEAVES_NOTHING = "Ctrl-C ends all of it, and leaves nothing behind."

PICTURE = r"""
What runs

{resources}

  repository  {repository}
  status      {status}/api/v1/status
  log         {log}

Three things to try, in another terminal

  cd {repository}
  export RECONCILER_URL={status}{path}

  1. Change a variable and commit: it is served within seconds, and the visits go on counting.
       curl {url}
       sed -i 's/GREETING: Hello$/GREETING: Good morning/' project.yaml
       git commit -qam 'Greet politely'
       curl {url}

  2. Kill a process: it comes back, under another pid.
       kill -9 $(curl -s {url} | grep -o '[0-9]*\.$' | tr -d .)
       curl {url}

  3. Remove a manifest: the resource goes, its data stay.
       git rm -q worker.yaml && git commit -qm 'No worker'
       reconciler status

{ending}
"""

FAREWELL = """
The daemon has stopped. The programs go on: started again, it finds them and leaves them alone.

  {on}   goes on
  {clean}   ends the programs and removes {folder}
"""

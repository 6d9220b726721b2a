"""Names of variables that the engine gives by itself, so that nobody's own value is overridden without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.desired.objects import Mount, Port
from reconciler.desired.variables import Variable
from reconciler.manifests.problem import Problem

PREFIX = "RECONCILER_"


def given(ports: Iterable[Port], mounts: Iterable[Mount]) -> dict[str, str]:
    """What a program gets beside its own variables, by name: in a few words, what it holds."""
    names: dict[str, str] = {}
    for port in ports:
        names[f"PORT_{port.name.upper().replace('-', '_')}"] = f"the number of port {port.name}"
        if port.main:
            names["PORT"] = f"the number of port {port.name}"
    return names | {mount.env: f"the place of storage {mount.path}" for mount in mounts if mount.env}


def clashes(variables: Mapping[str, Variable], names: Mapping[str, str]) -> list[Problem]:
    """Variables that somebody declared and whose name is taken, each where it was written."""
    found = []
    for name, variable in variables.items():
        holds = names.get(name) or ("what the engine says of itself" if name.startswith(PREFIX) else "")
        if holds:
            message = f"{name} is given by the engine: it holds {holds}; rename this one, or leave it out"
            found.append(Problem(variable.origin.place, f"variables.{name}", message))
    return found


def shared(mounts: Iterable[Mount]) -> list[tuple[Mount, Mount]]:
    """Places of storage that want the same variable as an earlier one, with that one."""
    first: dict[str, Mount] = {}
    found = []
    for mount in mounts:
        before = first.setdefault(mount.env, mount)
        if mount.env and before is not mount:
            found.append((mount, before))
    return found

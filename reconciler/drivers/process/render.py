"""Pure: what an instance or a job is started with, from its workload and what the driver has looked up.

Who wins where two give the same variable, from low to high: PATH, LANG, HOME and TMPDIR, which are conveniences; the
workload's own variables; and PORT, PORT_*, RECONCILER_* and the places of storage, which are facts that the engine
goes by and that nobody can declare otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reconciler.desired.objects import Composite, Link, Plain, SecretRef, Template, Value, Workload
from reconciler.errors import Conflict, InvalidInput

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_REFERENCE = re.compile(r"\$\$\(|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What only the target knows: paths, ports by name, resolved links and secrets by variable, volumes' places."""

    artifact: str
    home: str
    tmp: str
    ports: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)


def conveniences(surroundings: Surroundings) -> dict[str, str]:
    """What every program gets."""
    root = surroundings.artifact
    return {
        "PATH": f"{root}/.venv/bin:{root}/node_modules/.bin:{SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "HOME": surroundings.home,
        "TMPDIR": surroundings.tmp,
    }


def environment(workload: Workload, surroundings: Surroundings) -> dict[str, str]:
    """The whole environment of a program of this workload. Raises ``Conflict`` for a link that leads nowhere yet."""
    facts = _facts(workload, surroundings)
    declared = dict(workload.template.env)
    known = conveniences(surroundings)
    known |= {name: _text(name, value, surroundings) for name, value in declared.items() if not _composed(value)}
    known |= facts
    composites = {name: v.template for name, v in declared.items() if isinstance(v, Composite) and name not in facts}
    return _composites(composites, known)


def _composed(value: Value) -> bool:
    return isinstance(value, Composite)


def _text(name: str, value: Value, surroundings: Surroundings) -> str:
    match value:
        case Plain(text):
            return text
        case SecretRef():
            return surroundings.secrets[name]
        case Link():
            if name not in surroundings.links:
                raise Conflict(f"variable {name}: the link to {value} is not resolved yet")
            return surroundings.links[name]
        case Composite(template):
            return template


def _facts(workload: Workload, surroundings: Surroundings) -> dict[str, str]:
    key = workload.key
    facts = {
        "RECONCILER_PROJECT": key.project,
        "RECONCILER_ENVIRONMENT": key.environment,
        "RECONCILER_RESOURCE": key.name,
        "RECONCILER_RELEASE": workload.release,
    }
    for port in workload.template.ports:
        number = str(surroundings.ports[port.name])
        facts[f"PORT_{port.name.upper().replace('-', '_')}"] = number
        if port.main:
            facts["PORT"] = number
    facts |= {m.env: surroundings.volumes[m.volume] for m in workload.template.mounts if m.env}
    return facts


def _composites(templates: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """``known`` and the templates filled from it and from each other."""
    filled = {name: value for name, value in known.items() if name not in templates}
    left = dict(templates)
    while left:
        ready = [name for name, template in left.items() if not references(template) & left.keys()]
        if not ready:
            raise InvalidInput(f"variables {', '.join(sorted(left))}: refer to each other in a circle")
        filled |= {name: expand(left.pop(name), filled) for name in ready}
    return filled


def references(template: str) -> set[str]:
    """The names that a template asks for."""
    return {match[1] for match in _REFERENCE.finditer(template) if match[1]}


def expand(template: str, variables: Mapping[str, str]) -> str:
    """``$(NAME)`` becomes the variable's value, ``$$(`` a literal ``$(``; an unknown name stays as it is written."""

    def value(match: re.Match[str]) -> str:
        return "$(" if match[1] is None else variables.get(match[1], match[0])

    return _REFERENCE.sub(value, template)


def arguments(words: tuple[str, ...], variables: Mapping[str, str]) -> tuple[str, ...]:
    """An argument vector with its references filled in; never a shell's text."""
    if not words:
        raise InvalidInput("command: is empty; the process engine has no image to take one from")
    return tuple(expand(word, variables) for word in words)


def secret_names(workload: Workload, variables: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose value is, or contains, a secret."""
    values = [value for value in secrets.values() if value]
    declared = {name for name, _ in workload.template.env}
    return tuple(sorted(n for n in declared & variables.keys() if any(v in variables[n] for v in values)))


def working_dir(template: Template) -> str:
    """Where it starts, relative to its artifact. Raises ``InvalidInput`` for a place outside."""
    place = PurePosixPath(template.working_dir or ".")
    if place.is_absolute() or ".." in place.parts:
        raise InvalidInput(f"workingDir {template.working_dir!r}: leads outside the source; write it relative to it")
    return str(place)

"""The variables of a resource: precedence, values, origins.

Low to high: system (settings), project, environment, the resource's files (``envFrom``), resource, override.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dotenv.parser import parse_stream
from pydantic import TypeAdapter

from reconciler.desired.facts import reference_of
from reconciler.desired.merge import Layer
from reconciler.desired.objects import Composite, Link, Origin, Plain, SecretRef, Value
from reconciler.manifests.catalog import Document
from reconciler.manifests.identity import ResourceKey
from reconciler.manifests.kinds.base import (
    FromLink,
    FromSecret,
    FromTemplate,
    PlainValue,
    SecretSource,
    Variables,
    VariableValue,
)
from reconciler.manifests.problem import Position, Problem

_SECRET_NAMES = ("DATABASE_URL", "*_TOKEN", "*_PASSWORD", "*_PRIVATE_KEY")
_PATCHED: TypeAdapter[Variables] = TypeAdapter(dict[str, VariableValue])


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of one resource in one environment."""

    value: Value
    origin: Origin


def looks_secret(name: str) -> bool:
    """Whether a name by itself says that its value is a secret."""
    return any(fnmatch.fnmatchcase(name.upper(), pattern) for pattern in _SECRET_NAMES)


def from_settings(variables: Mapping[str, str]) -> dict[str, Variable]:
    """The system level."""
    place = Position("settings")
    return {name: Variable(Plain(text), Origin("system", place)) for name, text in variables.items()}


def from_document(document: Document, level: str, environment: str) -> dict[str, Variable]:
    """Those of a Project or an Environment."""
    written: Variables = getattr(document.spec, "variables", None) or {}
    return {
        name: Variable(
            value_of(value, document.key.project or document.key.name, environment),
            Origin(level, document.place("spec", "variables", name)),
        )
        for name, value in written.items()
    }


def from_layer(layer: Layer, project: str, environment: str) -> dict[str, Variable | None]:
    """Those of a resource's layer; None where an override removes one."""
    written = layer.tree.get("variables") or {}
    present = _PATCHED.validate_python({name: value for name, value in written.items() if value is not None})
    found: dict[str, Variable | None] = {name: None for name, value in written.items() if value is None}
    for name, value in present.items():
        origin = Origin(layer.level, layer.document.place(*layer.at, "variables", name))
        found[name] = Variable(value_of(value, project, environment), origin)
    return found


def from_env_file(path: str, text: str) -> Iterator[tuple[str, Variable]]:
    """Those of a .env file, in order; of a name that stands there twice the last one counts."""
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            origin = Origin("resource", Position(path, binding.original.line, 1), masked=looks_secret(binding.key))
            yield binding.key, Variable(Plain(binding.value), origin)


def env_file_errors(path: str, text: str) -> list[Problem]:
    """Lines of a .env file that cannot be read."""
    errors = []
    for binding in parse_stream(io.StringIO(text)):
        place = Position(path, binding.original.line, 1)
        if binding.error:
            errors.append(Problem(place, "", "cannot be read; NAME=value is wanted"))
        elif binding.key is not None and binding.value is None:
            errors.append(Problem(place, binding.key, "has no value; an empty one is written NAME="))
    return errors


def env_file_notes(path: str, text: str) -> list[Problem]:
    """Names that stand in a .env file more than once: the last one counts, and that is said."""
    seen: dict[str, int] = {}
    notes = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and not binding.error:
            if binding.key in seen:
                message = f"stands on line {seen[binding.key]} already; this one counts"
                notes.append(Problem(Position(path, binding.original.line, 1), binding.key, message))
            seen[binding.key] = binding.original.line
    return notes


def value_of(written: object, project: str, environment: str) -> Value:
    """What a written value means, in one environment."""
    match written:
        case str():
            return Plain(written)
        case PlainValue():
            return Plain(written.value)
        case FromTemplate():
            return Composite(written.template)
        case FromSecret(secret=SecretSource() as source):
            return reference_of(source)
        case FromSecret():
            return SecretRef("secretFiles", str(written.secret))
        case FromLink(from_=link):
            key = ResourceKey("Resource", project, link.resource, environment)
            part = link.as_
            if part in {"url", "address", "host", "port"}:
                return Link(key, link.port or "", part)
            return Link(key, link.port or "")
    raise TypeError(f"{type(written).__name__} is no value of a variable")

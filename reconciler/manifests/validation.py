"""A model over what was written: the validated value, or every fault, each once and at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.manifests.forms import fields_at, kinds_at
from reconciler.manifests.location import Fault, Location
from reconciler.manifests.wording import close_match, described, message

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Validated(Generic[M]):
    """``value`` is None when there are faults."""

    value: M | None
    faults: tuple[Fault, ...] = ()


def validate(
    model: type[M],
    raw: object,
    *,
    at: Location = ("spec",),
    path: str = "",
    written: Mapping[Location, str] | None = None,
) -> Validated[M]:
    """``raw`` (plain mappings, lists and scalars) as a ``model``.

    ``at`` is where ``raw`` lies in its document, and in front of every fault's location; ``path`` the manifest's file,
    which relative paths start from; ``written`` the scalars that are no texts as they were written, by location in the
    document. Raises nothing.
    """
    try:
        return Validated(model.model_validate(raw, context={"path": path}))
    except ValidationError as error:
        return Validated(None, tuple(_once(_faults(model, raw, error, at, written or {}))))


def _faults(
    model: type[BaseModel], raw: object, error: ValidationError, at: Location, written: Mapping[Location, str]
) -> Iterator[Fault]:
    for found in error.errors(include_input=False, include_url=False):
        location = _without_tags(raw, found["loc"])
        value = _value_at(raw, location)
        if found["type"] == "too_short" and value:
            continue  # it counts only the items that are right, and those that are wrong are told of themselves
        if found["type"] == "extra_forbidden":
            text = _unknown_field(model, raw, location)
        elif found["type"] == "union_tag_not_found":
            location = (*location, "kind")
            text = f"is required: one of {', '.join(kinds_at(model, raw, location[:-1]))}"
        else:
            place = (*at, *location)
            shown = described(value, written=written.get(place), location=place)
            if found["loc"][-1:] == ("[key]",):
                value, shown = location[-1], f'"{str(location[-1])[:60]}"'
            text = message(found, value, shown)
            location = (*location, "kind") if found["type"] == "union_tag_invalid" else location
        yield Fault((*at, *location), text)


def _unknown_field(model: type[BaseModel], raw: object, location: Location) -> str:
    return f"unknown field{close_match(str(location[-1]), fields_at(model, raw, location[:-1]))}"


def _once(faults: Iterator[Fault]) -> Iterator[Fault]:
    seen: set[Location] = set()
    for fault in faults:
        if fault.location not in seen:
            seen.add(fault.location)
            yield fault


def _without_tags(raw: object, location: Location) -> Location:
    """The validator's location without the names of union members, which nobody wrote."""
    found: list[str | int] = []
    for part in location:
        if part == "[key]":
            break
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        elif isinstance(part, str) and (part.startswith("<") or (isinstance(raw, dict) and raw.get("kind") == part)):
            continue
        else:
            raw = raw[part] if isinstance(raw, list) and isinstance(part, int) and part < len(raw) else None
        found.append(part)
    return tuple(found)


def _value_at(raw: object, location: Location) -> Any:
    for part in location:
        if isinstance(raw, dict):
            raw = raw.get(part)
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            raw = raw[part]
        else:
            return None
    return raw

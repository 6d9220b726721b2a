"""What was written and this version does not do yet. Parsed and checked like the rest, reported here, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reconciler.manifests.kinds import KINDS
from reconciler.manifests.kinds.base import Model
from reconciler.manifests.kinds.features import NOT_YET, Later, landed
from reconciler.manifests.location import Fault, Location


def unsupported(kind: str, spec: BaseModel) -> list[Fault]:
    """Every kind, field, form and value in ``spec`` that waits for its feature, by location in the document.

    ``spec`` is a validated model of the kind ``kind``: a document's own, or one after ``extends`` and overrides.
    """
    if not KINDS[kind].supported:
        return [Fault(("kind",), f"{kind} is {NOT_YET}")]
    return [fault for fault in _of_model(spec, ("spec",)) if not (kind == "Project" and _in_short_form(fault))]


def _in_short_form(fault: Fault) -> bool:
    """The environments of a Project are documents of their own, and are asked about as such."""
    return fault.location[:2] == ("spec", "environments")


def _of_model(model: BaseModel, location: Location) -> Iterator[Fault]:
    if isinstance(model, Model) and not landed(model.feature):
        yield _form(model, location)
        return
    for name, (alias, markers) in _fields(type(model)).items():
        if name not in model.model_fields_set:
            continue
        value = getattr(model, name)
        if value is None:
            continue
        place = (*location, alias)
        verdicts = [verdict for marker in markers if (verdict := marker.judge(value))]
        if verdicts:
            yield Fault(place, verdicts[0])
        else:
            yield from _of_value(value, place)


def _of_value(value: object, location: Location) -> Iterator[Fault]:
    if isinstance(value, BaseModel):
        yield from _of_model(value, location)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _of_value(inner, (*location, name))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _of_value(inner, (*location, index))


def _form(model: Model, location: Location) -> Fault:
    kind = getattr(model, "kind", None)
    return Fault((*location, "kind"), f"{kind} is {NOT_YET}") if kind else Fault(location, f"this form is {NOT_YET}")


@cache
def _fields(model: type[BaseModel]) -> Mapping[str, tuple[str, tuple[Later, ...]]]:
    return {name: (info.alias or name, _markers(info)) for name, info in model.model_fields.items()}


def _markers(info: FieldInfo) -> tuple[Later, ...]:
    """Marks on the field itself, and on the members of its union."""
    members = getattr(info.annotation, "__args__", ())
    inner = [part for member in members for part in getattr(member, "__metadata__", ())]
    return tuple(part for part in (*info.metadata, *inner) if isinstance(part, Later))

"""What may be written at a place: the fields and kinds that the models allow there. Only messages need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from reconciler.manifests.location import Location


def fields_at(model: type[BaseModel], raw: object, location: Location) -> set[str]:
    """The names that the mapping at ``location`` may have."""
    return {name for form in _forms_at(model, raw, location) for name in _by_alias(form)}


def kinds_at(model: type[BaseModel], raw: object, location: Location) -> list[str]:
    """The values that ``kind`` may have in the mapping at ``location``, in the order of the models."""
    forms = _models(_leaves(_annotations_at(model, raw, location)))
    return [value for form in forms for value in get_args(_by_alias(form).get("kind"))]


def _forms_at(model: type[BaseModel], raw: object, location: Location) -> list[type[BaseModel]]:
    forms = list(_models(_leaves(_annotations_at(model, raw, location))))
    for part in location:
        raw = _child(raw, part)
    return _of_kind(forms, raw)


def _of_kind(forms: list[type[BaseModel]], raw: object) -> list[type[BaseModel]]:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    return [form for form in forms if kind in get_args(_by_alias(form).get("kind"))] or forms


def _annotations_at(model: type[BaseModel], raw: object, location: Location) -> list[Any]:
    found: list[Any] = [model]
    for part in location:
        leaves = list(_leaves(found))
        chosen = _of_kind(list(_models(leaves)), raw)
        found = [inner for leaf in [*chosen, *_containers(leaves)] for inner in _inside(leaf, part)]
        raw = _child(raw, part)
    return found


def _inside(leaf: Any, part: str | int) -> Iterator[Any]:
    arguments = get_args(leaf)
    if isinstance(leaf, type) and issubclass(leaf, BaseModel):
        yield from (annotation for name, annotation in _by_alias(leaf).items() if name == part)
    elif get_origin(leaf) is dict:
        yield arguments[1]
    elif get_origin(leaf) is tuple:
        yield arguments[0]


def _leaves(annotations: Iterable[Any]) -> Iterator[Any]:
    for annotation in annotations:
        if get_origin(annotation) is Annotated:
            yield from _leaves([get_args(annotation)[0]])
        elif get_origin(annotation) in (Union, UnionType):
            yield from _leaves(get_args(annotation))
        else:
            yield annotation


def _models(leaves: Iterable[Any]) -> Iterator[type[BaseModel]]:
    return (leaf for leaf in leaves if isinstance(leaf, type) and issubclass(leaf, BaseModel))


def _containers(leaves: Iterable[Any]) -> list[Any]:
    return [leaf for leaf in leaves if get_origin(leaf) in (dict, tuple)]


def _by_alias(model: type[BaseModel]) -> Mapping[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _child(raw: object, part: str | int) -> object:
    if isinstance(raw, dict):
        return raw.get(part)
    return raw[part] if isinstance(raw, list) and isinstance(part, int) and part < len(raw) else None

"""From a screen to HTML: every text is redacted, then escaped, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel

from reconciler.api.dashboard import assets, words

Redact = Callable[[str], str]
T = TypeVar("T")


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reconciler.api.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "tone": words.tone,
        "condition_tone": words.condition_tone,
        "check_tone": words.check_tone,
        "check_word": words.check_word,
        "verdict": words.verdict,
        "short": words.short,
        "stamp": words.stamp,
        "span": words.span,
        "subject_href": words.subject_href,
        "subject_name": words.subject_name,
        "anchor": words.anchor,
    }
    made.globals |= {"asset": assets.url, "age": words.age, "resource_href": words.resource_href}
    return made


ENVIRONMENT = _environment()


def page(template: str, *, redact: Redact, now: datetime, **values: Any) -> bytes:
    """The page of ``template``; ``now`` is what ages are counted from."""
    shown = {name: redacted(value, redact) for name, value in values.items()}
    return ENVIRONMENT.get_template(template).render(now=now, **shown).encode()


def redacted(value: T, redact: Redact) -> T:
    """The same value with every text in it redacted; words of states stay."""
    return _redacted(value, redact)  # type: ignore[return-value]


def _redacted(value: object, redact: Redact) -> object:
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _redacted(inner, redact) for name, inner in value})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _redacted(getattr(value, f.name), redact) for f in fields(value)})
    if isinstance(value, Mapping):
        return {_redacted(key, redact): _redacted(inner, redact) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_redacted(inner, redact) for inner in value)
    return value

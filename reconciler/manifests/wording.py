"""What the validator found, in words a person can act on. Values that could be secrets are never shown."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.manifests.kinds.base import FILLED, WORDS
from reconciler.manifests.location import Location, may_hold_secret


def described(value: object, *, written: str | None, location: Location) -> str:
    """A value for a message: as it was written where it is safe to show, else only what sort of value it is."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if may_hold_secret(location):
        return {str: "a text", bool: "a truth value"}.get(type(value), "a number")
    return f'"{value[:60]}"' if isinstance(value, str) else (written or str(value).lower())[:60]


def close_match(name: str, options: Iterable[str]) -> str:
    """``; did you mean X?`` when something similar is allowed, else ""."""
    found = difflib.get_close_matches(name, sorted(options), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def message(error: Mapping[str, Any], value: object, shown: str) -> str:
    """One of pydantic's errors (without its input) about ``value``, which ``described`` told as ``shown``."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _WORDED:
        return _WORDED[kind](context, value, shown)
    if kind == "value_error":
        return str(context["error"])
    if kind in _CUSTOM:
        return f"{error['msg']}, not {shown}{_unquote(value) if kind != 'binding' else ''}"
    text = error["msg"]
    return f"{text[:1].lower()}{text[1:]}"


def _missing(_context: Mapping[str, Any], _value: object, _shown: str) -> str:
    return "is required"


def _pattern(context: Mapping[str, Any], _value: object, shown: str) -> str:
    words = WORDS.get(context["pattern"], f"not of the form {context['pattern']}")
    return words if context["pattern"] == FILLED else f"{shown} is {words}"


def _literal(context: Mapping[str, Any], value: object, shown: str) -> str:
    options = context["expected"].replace(" or ", ", ").replace("'", "")
    hint = close_match(value, options.split(", ")) if isinstance(value, str) else ""
    return f"{shown} is not one of {options}{hint}"


def _text(_context: Mapping[str, Any], value: object, shown: str) -> str:
    if isinstance(value, bool | int | float):
        sort = "a truth value" if isinstance(value, bool) else "a number"
        if shown == sort:
            return f"{sort}, where a text is wanted: put it in quotes"
        return f'{shown} is {sort}, where a text is wanted: write "{shown}"'
    return f"a text is wanted, not {shown}"


def _whole_number(_context: Mapping[str, Any], value: object, shown: str) -> str:
    return f"a whole number is wanted, not {shown}{_unquote(value)}"


def _unquote(value: object) -> str:
    return ": leave the quotes out" if isinstance(value, str) and value.isdecimal() else ""


def _truth(_context: Mapping[str, Any], _value: object, shown: str) -> str:
    return f"true or false is wanted, not {shown}"


def _mapping(_context: Mapping[str, Any], value: object, shown: str) -> str:
    return "a mapping is wanted, and nothing is given" if value is None else f"a mapping is wanted, not {shown}"


def _list(_context: Mapping[str, Any], value: object, shown: str) -> str:
    hint = ": write it as [first, second]" if isinstance(value, str) else ""
    return f"a list is wanted, not {shown}{hint}"


def _bound(sign: str, name: str) -> Callable[[Mapping[str, Any], object, str], str]:
    return lambda context, _value, shown: f"{shown} is not {sign} {context[name]}"


def _too_short(context: Mapping[str, Any], _value: object, _shown: str) -> str:
    return f"is empty; at least {context['min_length']} is wanted"


def _tag(context: Mapping[str, Any], _value: object, _shown: str) -> str:
    options = context["expected_tags"].replace("'", "")
    return f'"{context["tag"][:60]}" is not one of {options}{close_match(context["tag"], options.split(", "))}'


def _variable(_context: Mapping[str, Any], value: object, shown: str) -> str:
    forms = "a text, {secret}, {from}, {template} or {value, exposure} is wanted"
    if isinstance(value, bool | int | float):
        return f"{shown}, where a text is wanted: put it in quotes"
    if value is None:
        return f'{forms}; write "" for an empty text'
    keys = ", ".join(sorted(str(key)[:40] for key in value)) if isinstance(value, dict) else ""
    return f"{forms}, not {shown}" + (f" of {keys}" if keys else "")


_CUSTOM = frozenset({"secret_reference", "port_reference", "port", "replicas", "binding"})
_WORDED: Mapping[str, Callable[[Mapping[str, Any], Any, str], str]] = {
    "missing": _missing,
    "string_pattern_mismatch": _pattern,
    "literal_error": _literal,
    "string_type": _text,
    "int_type": _whole_number,
    "bool_type": _truth,
    "dict_type": _mapping,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "tuple_type": _list,
    "greater_than_equal": _bound(">=", "ge"),
    "less_than_equal": _bound("<=", "le"),
    "too_short": _too_short,
    "union_tag_invalid": _tag,
    "variable_value": _variable,
}

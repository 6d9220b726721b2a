"""Plain scalars by YAML 1.2's core schema, and those that readers of other versions take for something else."""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SWITCHES = frozenset(
    word for base in ("y", "n", "yes", "no", "on", "off") for word in (base, base.capitalize(), base.upper())
)
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+\Z")
_CLOCK = re.compile(r"[-+]?[1-9][0-9]*(:[0-5]?[0-9])+(\.[0-9]*)?\Z")
_OLD_NUMBER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F]*_[0-9a-fA-F_]*|[0-9]+_[0-9_]*)\Z")
_NUMBER_STARTS = frozenset("0123456789+-.")
_LONGEST_NUMBER = 40


def resolve(text: str) -> Scalar:
    """What a plain scalar is under the core schema; a number that is too long stays a text (see ``ambiguity``)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    return float(text) if _FLOAT.match(text) else text


def ambiguity(text: str) -> str:
    """Why a plain scalar must not be guessed at, in words that follow it; "" when every reader takes it alike."""
    if text in _SWITCHES:
        return "is a truth value to some readers of YAML and a text to others: put it in quotes, or write true or false"
    if not text or text[0] not in _NUMBER_STARTS:
        return ""
    if _LEADING_ZERO.match(text):
        return "has a leading zero, which readers of YAML take differently: put it in quotes, or leave the zero out"
    if _CLOCK.match(text):
        return "is a number to base 60 to some readers of YAML: put it in quotes"
    if _OLD_NUMBER.match(text):
        return "is a number to some readers of YAML and a text to others: put it in quotes"
    return _unusable_number(text)


def _unusable_number(text: str) -> str:
    if _SPECIAL.match(text):
        return "is not a finite number: put it in quotes, or write a number"
    number = _INTEGER.match(text) or _FLOAT.match(text)
    if number and (len(text) > _LONGEST_NUMBER or not math.isfinite(float(text))):
        return "is too long for a number: put it in quotes"
    return ""

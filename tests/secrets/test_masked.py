from __future__ import annotations

import copy
import json
import logging
import marshal
import pickle
import traceback

import orjson
import pytest

from reconciler import ports
from reconciler.secrets.masked import Masked

CANARY = b"c4n4ry-value"


def test_gives_its_value_only_when_asked():
    """``reveal`` is the one way to it."""
    value: ports.Masked = Masked(CANARY)
    assert value.reveal() == CANARY


@pytest.mark.parametrize(
    "show",
    [str, repr, "{}".format, "{:>20}".format, "{!r}".format, lambda v: f"{v!s}", lambda v: "%s" % v,  # noqa: UP031
     lambda v: str([v, {"a": v}]), lambda v: traceback.format_exception(ValueError(v))],
)  # fmt: skip
def test_shows_a_mask(show):
    """However it is turned into text, the value is not in it."""
    shown = "".join(show(Masked(CANARY)))
    assert "****" in shown
    assert CANARY.decode() not in shown


@pytest.mark.parametrize("dump", [json.dumps, orjson.dumps, pickle.dumps, marshal.dumps])
def test_is_never_serialised(dump):
    """What would write it out refuses."""
    with pytest.raises((TypeError, ValueError)) as caught:
        dump(Masked(CANARY))
    assert CANARY.decode() not in str(caught.value)


def test_has_no_other_way_in():
    """Neither attributes, nor a dictionary, nor a length, nor a hash, nor a change."""
    value = Masked(CANARY)
    with pytest.raises(TypeError):
        vars(value)
    with pytest.raises(TypeError):
        hash(value)
    with pytest.raises(TypeError):
        len(value)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        value.other = 1
    with pytest.raises(AttributeError):
        del value._Masked__value  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        bytes(value)  # type: ignore[call-overload]


def test_copies_are_the_same():
    """A copied record holds the value as before."""
    value = Masked(CANARY)
    assert copy.copy(value) is value
    assert copy.deepcopy({"a": value})["a"] is value


def test_equals_by_value():
    """Same bytes are the same secret; bytes themselves are not a masked value."""
    assert Masked(b"a") == Masked(b"a")
    assert Masked(b"a") != Masked(b"b")
    assert Masked(b"a") != b"a"


def test_is_not_logged(caplog):
    """The logging library formats it like everything else."""
    logging.getLogger("x").warning("value %s", Masked(CANARY))
    assert caplog.messages == ["value ****"]

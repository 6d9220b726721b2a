from __future__ import annotations

import base64
import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reconciler.secrets.masked import Masked
from reconciler.secrets.redact import Redactor

CANARY = 'c4n/ry+"v äl\\ue\n2nd=line?of>it'


def knowing(*values):
    redactor = Redactor()
    for value in values:
        assert redactor.learn(Masked(value if isinstance(value, bytes) else value.encode()))
    return redactor


def small_escapes(text):
    return re.sub("%..", lambda found: found[0].lower(), text)


@pytest.mark.parametrize(
    "encode",
    [
        bytes.decode,
        lambda raw: base64.b64encode(raw).decode().rstrip("="),
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote,
        quote_plus,
        lambda raw: quote(raw, safe=""),
        lambda raw: small_escapes(quote(raw, safe="")),
        bytes.hex,
        lambda raw: raw.hex().upper(),
        lambda raw: json.dumps(raw.decode())[1:-1],
        lambda raw: json.dumps(raw.decode(), ensure_ascii=False)[1:-1],
        lambda raw: repr(raw.decode())[1:-1],
        lambda raw: repr(raw)[2:-1],
        lambda raw: raw.decode().splitlines()[1],
    ],
)
def test_finds_every_rendering(encode):
    """However a program wrote the value, it is gone whole, from texts and from bytes."""
    redactor = knowing(CANARY)
    shown = encode(CANARY.encode())
    assert redactor.text(f"a {shown} z") == "a **** z"
    assert redactor.data(f"a {shown} z".encode()) == b"a **** z"


@pytest.mark.parametrize("before", [b"", b"u", b"us", b"use", b"user:"])
@pytest.mark.parametrize("after", [b"", b"@", b"@h", b"@hos"])
def test_finds_a_value_inside_of_base64(before, after):
    """As in basic authentication: what is left is at most one character more than stood around it."""
    encoded = base64.b64encode(before + CANARY.encode() + after).decode()
    result = knowing(CANARY).text(encoded)
    head, _, tail = result.partition("****")
    assert len(head) <= math.ceil(len(before) * 8 / 6)
    assert len(tail.rstrip("=")) <= math.ceil(len(after) * 8 / 6) + 1


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_never_leaves_a_value(value, before, after):
    """Whatever the value and what stands around it, it is gone; a text without it stays as it is."""
    if "*" in value or len(value.encode("utf-8", "surrogatepass")) < 4:
        return
    redactor = knowing(value)
    assert value not in redactor.text(f"{before}{value}{after}")
    (first, second) = redactor.structure({"a": [value, {value: (before + value,)}]})["a"]
    assert first == "****"
    assert not any(value in text for key, items in second.items() for text in (key, *items))


@given(st.binary(min_size=4, max_size=30), st.binary(max_size=20), st.binary(max_size=20))
def test_never_leaves_bytes(value, before, after):
    """Values that are no text are found in bytes, raw and in base64."""
    if b"*" in value:
        return
    redactor = knowing(value)
    assert value not in redactor.data(before + value + after)
    assert base64.b64encode(value).decode() not in redactor.text(base64.b64encode(value).decode())


@given(st.text(alphabet="abc "))
def test_leaves_the_rest_alone(text):
    """What has nothing of a value in it is not touched."""
    assert knowing("0123456789").text(text) == text


def test_overlapping_values_leave_no_remainder():
    """Where two values share a part, neither end is left."""
    assert knowing("abcdefgh", "ghijklmn").text("<abcdefghijklmn>") == "<****>"
    assert knowing("secret", "secret-long").text("secret-long secret") == "**** ****"


def test_short_values_are_said_to_be_too_short():
    """Three bytes would be found everywhere; whoever taught it is told."""
    redactor = Redactor()
    assert not redactor.learn(Masked(b"abc"))
    assert not redactor.learn(Masked(b""))
    assert redactor.text("abc") == "abc"


def test_structures_are_redacted_everywhere():
    """Keys, values, numbers, collections, masked values and other objects; what is clean stays what it is."""
    redactor = knowing("c4n4ry", "12345678")
    clean = Path("/tmp/x")
    given_value = {
        "c4n4ry": 1,
        "list": ["c4n4ry", b"c4n4ry", 12345678, 1.5, None, True],
        "set": {"c4n4ry"},
        "tuple": ("a", Masked(b"x")),
        "error": ValueError("bad c4n4ry"),
        "path": clean,
    }
    assert redactor.structure(given_value) == {
        "****": 1,
        "list": ["****", b"****", "****", 1.5, None, True],
        "set": ["****"],
        "tuple": ("a", "****"),
        "error": "bad ****",
        "path": clean,
    }
    assert "c4n4ry" in given_value


def test_endless_structures_end():
    """A value that contains itself is cut off, not followed."""
    endless: list[object] = []
    endless.append(endless)
    assert "****" in str(knowing("c4n4ry").structure(endless))


def test_masks_before_anything_was_learnt():
    """A masked value is masked in any case."""
    assert Redactor().structure([Masked(b"x")]) == ["****"]


def test_is_a_processor_for_logs():
    """Messages, keys and tracebacks of a log line are clean when they are rendered."""
    redactor = knowing("c4n4ry")
    lines: list[str] = []

    class Sink:
        def msg(self, line):
            lines.append(line)

        exception = error = msg

    log = structlog.wrap_logger(
        Sink(),
        processors=[structlog.processors.format_exc_info, redactor, structlog.processors.JSONRenderer(default=repr)],
    )
    try:
        raise ValueError("no c4n4ry")
    except ValueError as error:
        log.exception("failed with c4n4ry", detail={"c4n4ry": [error]})
    assert "c4n4ry" not in lines[0]
    assert json.loads(lines[0])["event"] == "failed with ****"


def test_learns_from_many_threads():
    """Nothing that was learnt is lost, and readers are never disturbed."""
    redactor = Redactor()
    values = [f"value-{number:04}" for number in range(200)]

    def teach(value):
        redactor.learn(Masked(value.encode()))
        return redactor.text(value)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(teach, values)) == {"****"}
    assert redactor.text(" ".join(values)) == " ".join(["****"] * 200)

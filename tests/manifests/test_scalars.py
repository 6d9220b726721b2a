"""Plain scalars: the core schema, and what no two readers agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.scalars import ambiguity, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nUll", "nUll"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("0o17", 15),
        ("0xff", 255),
        ("0o8", "0o8"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-", "-"),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("2030-01-31", "2030-01-31"),
        ("12:30:45.5x", "12:30:45.5x"),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_follows_the_core_schema(text, value):
    """No timestamps, no octal by a zero, no truth values but true and false."""
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "ON",
        "off",
        "y",
        "N",
        "010",
        "08",
        "-07",
        "22:22",
        "1:30:00",
        "1_000",
        "0b101",
        "0x_f",
        ".inf",
        "-.INF",
        ".NaN",
        "9" * 41,
        "1e999",
        "1_0",
    ],
)
def test_refuses_what_readers_disagree_on(text):
    """These are told of, wherever they stand."""
    assert ambiguity(text)


@pytest.mark.parametrize(
    "text",
    ["", "0", "10", "-1", "3.10", "0.5", "true", "null", "web", "none", "80:80", "08:00x", "1.8.2", "_1", "node"],
)
def test_accepts_what_all_readers_take_alike(text):
    """Numbers, texts and truth values that mean one thing are left alone."""
    assert ambiguity(text) == ""


@given(st.text(alphabet="0123456789+-._:eExob", max_size=60))
def test_answers_for_anything_that_looks_like_a_number(text):
    """No text of a number's characters makes it fail."""
    resolve(text)
    ambiguity(text)

"""Secrets taken out of texts."""

import base64

import pytest

from reconciler.drivers.process.redact import Redactor

SECRET = "p@ss/w ord"


@pytest.mark.parametrize(
    "form", [SECRET, "p%40ss%2Fw%20ord", "p%40ss/w%20ord", base64.b64encode(SECRET.encode()).decode()]
)
def test_a_value_is_masked_in_every_form(form):
    """Raw, in a URL, in base64."""
    assert Redactor([SECRET])(f"<{form}>") == "<****>"


def test_short_values_blot_out_nothing():
    """A secret of one letter would mask the language."""
    assert Redactor(["a", ""])("a banana") == "a banana"

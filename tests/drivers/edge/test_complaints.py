"""A proxy's last words, as somebody reads them who has to do something."""

import pytest

from reconciler.drivers.edge.complaints import AddressTaken, taken, why
from reconciler.errors import InvalidInput

TAKEN = "Error: loading initial config: http app module: start: listening on :80: listen tcp :80: bind: "


def test_a_taken_address_is_named():
    """It may be free again: worth another try."""
    error = why(["{}", TAKEN + "address already in use"])
    assert isinstance(error, AddressTaken) and error.address == ":80"
    assert "end what listens there" in str(error)


def test_a_forbidden_port_is_a_matter_of_settings():
    """It will not mend by itself, and the message says three ways."""
    error = why([TAKEN + "permission denied"])
    assert isinstance(error, InvalidInput)
    assert all(word in str(error) for word in (":80", "1024", "setcap"))


@pytest.mark.parametrize("output", [[], ["", " "], ["Error: unknown module: http.handlers.nonsense"]])
def test_anything_else_is_quoted(output):
    """The last line that says something."""
    error = why(output)
    assert isinstance(error, InvalidInput) and taken("\n".join(output)) is None
    assert "nonsense" in str(error) or "it said nothing" in str(error)

"""Texts that stand for durations, times and ranges."""

from __future__ import annotations

import pytest

from reconciler.manifests.kinds.base import epoch_seconds, port_range, seconds


@pytest.mark.parametrize(("text", "value"), [("0s", 0), ("30s", 30), ("10m", 600), ("1h", 3600), ("14d", 1209600)])
def test_durations(text, value):
    """A whole number and a unit."""
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "s", "30", "1.5h", "-1s", "1w", "1h30m"])
def test_other_durations_are_refused(text):
    """Anything else raises, and says how to write it."""
    with pytest.raises(ValueError, match="as in 30s or 14d"):
        seconds(text)


def test_times_have_a_zone():
    """The same moment in two zones is the same number."""
    assert epoch_seconds("2030-01-31T18:00:00Z") == epoch_seconds("2030-01-31T19:00:00+01:00") == 1896112800.0


@pytest.mark.parametrize("text", ["20000", "2-1", "0-5", "1-65536", "a-b"])
def test_impossible_port_ranges_are_refused(text):
    """A range is two ports, the lower first."""
    assert port_range("20000-29999") == (20000, 29999)
    with pytest.raises(ValueError, match="range of ports"):
        port_range(text)

"""Bounds of waiting after failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InvalidInput, TransientError, Unreachable
from reconciler.runtime.backoff import TERMINAL_RETRY, Backoff


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_every_delay_stays_between_floor_and_cap(attempt, part):
    """However often something failed and whatever chance says, it is tried again within the cap and not at once."""
    backoff = Backoff(random=lambda: part)
    assert backoff.floor <= backoff.delay(attempt, Unreachable("here: no answer")) <= backoff.cap


def test_the_ceiling_doubles_with_each_failure_until_the_cap():
    """Without luck the waits are 1, 2, 4 … seconds."""
    backoff = Backoff(random=lambda: 1.0)
    waits = [backoff.delay(attempt, Unreachable("x")) for attempt in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_what_the_other_side_asked_for_is_never_undercut():
    """A retry_after is waited for, with a little jitter on top."""
    delay = Backoff(random=lambda: 0.5).delay(1, TransientError("too many requests", retry_after=17.0))
    assert delay == 17.5


def test_a_terminal_error_waits_half_an_hour():
    """What only a changed input mends is not hammered."""
    assert Backoff(random=lambda: 0.0).delay(1, InvalidInput("x")) == TERMINAL_RETRY


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyError("x")])
def test_an_unknown_exception_backs_off_like_a_transient_one(error):
    """A defect is tried again with growing waits."""
    assert Backoff(random=lambda: 1.0).delay(3, error) == 4.0

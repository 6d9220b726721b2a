"""What answers mean, from values alone."""

import pytest

from reconciler.drivers.process.health import Timings, Vitals, judge, restart_delay
from reconciler.observed.snapshot import Health

TIMINGS = Timings(retries=3, start_period=10)
FRESH = Vitals(Health.STARTING)
ADOPTED = Vitals(Health.UNKNOWN)


def heard(vitals, answers, *, age=100.0):
    """The health after a run of answers: ``+`` a good one, ``-`` a bad one."""
    for sign in answers:
        vitals = judge(vitals, good=sign == "+", answer=sign, age=age, timings=TIMINGS)
    return vitals


@pytest.mark.parametrize(
    ("answers", "health"),
    [
        ("+", Health.HEALTHY),
        ("--", Health.STARTING),
        ("---", Health.UNHEALTHY),
        ("---+", Health.HEALTHY),
        ("+--", Health.HEALTHY),
        ("+---", Health.UNHEALTHY),
        ("+--+--", Health.HEALTHY),
    ],
)
def test_failures_count_in_a_row(answers, health):
    """Three together are evidence; fewer, or with a good one between, are not."""
    assert heard(FRESH, answers).health is health


def test_the_start_period_forgives():
    """As long as it lasts, and only until the first good answer."""
    assert heard(FRESH, "------", age=5.0).health is Health.STARTING
    assert heard(heard(FRESH, "------", age=5.0), "--").health is Health.STARTING
    assert heard(FRESH, "+---", age=5.0).health is Health.UNHEALTHY


def test_an_adopted_one_is_unknown_before_it_is_unhealthy():
    """One bad answer after a restart of the daemon proves nothing."""
    known = Vitals(Health.UNKNOWN, proven=True)
    assert [heard(known, "-" * count).health for count in (1, 2, 3)] == ["unknown", "unknown", "unhealthy"]


def test_probing_slows_down_when_it_is_proven():
    """A gate is watched closely, what serves is not."""
    assert Timings(interval=30).next_probe(proven=False) == 1
    assert Timings(interval=30).next_probe(proven=True) == 30
    assert Timings(interval=0.5).next_probe(proven=False) == 0.5


def test_settings_as_numbers():
    """Every one of them arrives."""
    settings = {
        "stopTimeout": "1", "probe.interval": "2", "probe.timeout": "3", "probe.retries": "4",
        "probe.startPeriod": "5", "restartWhenUnhealthy": "true",
    }  # fmt: skip
    assert Timings.of(settings) == Timings(1, 2, 3, 4, 5, restart_when_unhealthy=True)


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1"])
def test_a_setting_that_is_no_number(text):
    """A record of another version never stops a workload from being looked after."""
    assert Timings.of({"stopTimeout": text}) == Timings()


def test_delays_grow_to_a_minute():
    """From one second, doubled; jitter only shortens."""
    assert [restart_delay(streak, 0.0) for streak in (0, 1, 2, 3, 6, 7, 99)] == [1, 1, 2, 4, 32, 60, 60]
    assert restart_delay(3, 1.0) == pytest.approx(3.2)

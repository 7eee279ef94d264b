"""The laws of a pace: what has happened by a time is the integral of the rate, and each event has its time exactly."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadgen.pace import NS_PER_SECOND, Pace
from loadgen.plan import Stage

some_rates = st.one_of(st.just(0.0), st.integers(1, 100_000).map(float), st.floats(0.01, 100))
lengths = st.one_of(st.integers(1, 5).map(float), st.integers(1, 3000).map(lambda ms: ms / 1000))
many_stages = st.lists(st.builds(Stage, some_rates, some_rates, lengths), min_size=1, max_size=4)
moments = st.lists(st.fractions(0, 1), min_size=1, max_size=20)


def integral(stages: Sequence[Stage], ns: int) -> Fraction:
    """By the school's formula: mean rate times length, stage by stage."""
    events, left = Fraction(0), Fraction(ns, NS_PER_SECOND)
    for stage in stages:
        start, stop, seconds = (
            Fraction(part).limit_denominator(1_000_000) for part in (stage.start_rate, stage.stop_rate, stage.seconds)
        )
        past = min(left, seconds)
        events += (start + start + (stop - start) * past / seconds) / 2 * past
        left -= past
    return events


@given(stages=many_stages, moments=moments)
def test_by_any_time_the_integral_of_the_rate_has_happened(stages: list[Stage], moments: list[Fraction]) -> None:
    pace = Pace(stages)
    for moment in moments:
        ns = int(moment * pace.end_ns)
        assert pace.count(ns) == math.ceil(integral(stages, ns)), f"{ns} ns after the start"
    assert pace.events == math.ceil(integral(stages, pace.end_ns)) == pace.count(pace.end_ns)


@given(stages=many_stages, moments=moments)
def test_an_event_is_counted_once_its_time_has_passed(stages: list[Stage], moments: list[Fraction]) -> None:
    pace = Pace(stages)
    for moment in moments:
        event = int(moment * pace.events)
        ns = pace.event_ns(event)
        assert pace.count(ns) <= event
        if event < pace.events:
            assert pace.count(ns + 1) > event


@given(stages=many_stages, moments=moments)
def test_time_never_goes_back(stages: list[Stage], moments: list[Fraction]) -> None:
    pace = Pace(stages)
    events = sorted({int(moment * pace.events) + step for moment in moments for step in (0, 1, 2)})
    times = [pace.event_ns(event) for event in events]
    assert all(before <= after <= pace.end_ns for before, after in pairwise(times))


def test_nothing_happens_in_a_pause() -> None:
    pace = Pace([Stage(0, 0, 1), Stage(10, 10, 1), Stage(0, 0, 1), Stage(0, 20, 1)])
    assert [pace.event_ns(event) / NS_PER_SECOND for event in (0, 1, 9, 10)] == [1, 1.1, 1.9, 3]
    assert pace.events == 20
    assert pace.event_ns(20) == pace.event_ns(1000) == 4 * NS_PER_SECOND

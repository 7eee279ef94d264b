"""Steps: few enough, whole, and read from what is coarse enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.steps import LONGEST_OF_EVENTS_MS, STEPS_MS, steps

START_MS = 1_539_112_021_301


@given(st.integers(0, 2**42), st.integers(1, 60 * 24 * HOUR_MS), st.integers(50, 1000))
def test_law_whole_steps_cover_the_range_and_are_few(start_ms: int, length_ms: int, points: int) -> None:
    found = steps(start_ms, start_ms + length_ms, points)
    assert found.step_ms in STEPS_MS
    assert found.start_ms % found.step_ms == found.stop_ms % found.step_ms == 0
    assert found.start_ms <= start_ms < found.start_ms + found.step_ms
    assert found.stop_ms - found.step_ms < start_ms + length_ms <= found.stop_ms
    assert (found.stop_ms - found.start_ms) // found.step_ms <= points + 1 or found.step_ms == STEPS_MS[-1]


@pytest.mark.parametrize(
    ("length_ms", "step_ms", "source"),
    [
        (5 * MINUTE_MS, 1_000, "events"),
        (15 * MINUTE_MS, 5_000, "events"),
        (LONGEST_OF_EVENTS_MS + 1, MINUTE_MS, "minutes"),
        (6 * HOUR_MS, 2 * MINUTE_MS, "minutes"),
        (24 * HOUR_MS, 5 * MINUTE_MS, "minutes"),
        (7 * 24 * HOUR_MS, HOUR_MS, "hours"),
        (30 * 24 * HOUR_MS, 3 * HOUR_MS, "hours"),
    ],
)
def test_the_ranges_of_the_page(length_ms: int, step_ms: int, source: str) -> None:
    found = steps(START_MS, START_MS + length_ms, 300)
    assert (found.step_ms, found.source) == (step_ms, source)

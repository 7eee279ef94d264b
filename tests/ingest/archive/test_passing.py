from hypothesis import given
from hypothesis import strategies as st

from ingest.archive.passing import PassingTime

NOW_MS = 1_795_000_000_000
DAY_SECONDS = 86_400
YEAR_SECONDS = 365 * DAY_SECONDS


class Clocks:
    """Time that passes, and a clock that shows it until it is set."""

    def __init__(self) -> None:
        self.passed = self.off = 0.0

    def __call__(self) -> float:
        return 1000.0 + self.passed

    @property
    def shown_ms(self) -> int:
        return NOW_MS + int((self.passed + self.off) * 1000)


@given(st.lists(st.floats(0, 3 * DAY_SECONDS), max_size=20), st.floats(-3600, 3600))
def test_a_clock_that_goes_on_is_believed(waits: list[float], drift: float) -> None:
    clocks = Clocks()
    time = PassingTime(NOW_MS, clocks)
    for wait in waits:
        clocks.passed += wait
        clocks.off = drift
        assert time.is_believable(clocks.shown_ms)


@given(st.sampled_from([YEAR_SECONDS, -YEAR_SECONDS, 2 * DAY_SECONDS, 40 * YEAR_SECONDS]), st.booleans())
def test_one_that_jumped_is_believed_a_day_later_and_one_that_was_set_right_too(jump: float, is_mended: bool) -> None:
    clocks = Clocks()
    time = PassingTime(NOW_MS, clocks)
    assert time.is_believable(clocks.shown_ms)
    clocks.off = jump
    assert not time.is_believable(clocks.shown_ms)
    clocks.passed += DAY_SECONDS / 2
    clocks.off = 0.0 if is_mended else jump
    assert not time.is_believable(clocks.shown_ms)
    clocks.passed += DAY_SECONDS * 0.6
    assert time.is_believable(clocks.shown_ms) is not is_mended
    clocks.passed += DAY_SECONDS
    assert time.is_believable(clocks.shown_ms)


def test_after_a_long_rest_it_waits_a_day_and_without_anything_seen_not() -> None:
    clocks = Clocks()
    assert not PassingTime(NOW_MS - 40 * DAY_SECONDS * 1000, clocks).is_believable(clocks.shown_ms)
    assert PassingTime(None, clocks).is_believable(clocks.shown_ms)

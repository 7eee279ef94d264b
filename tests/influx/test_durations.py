import pytest
from hypothesis import given
from hypothesis import strategies as st

from influx import durations


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("45", 45), ("45s", 45), ("90m", 5_400), ("12h", 43_200), (" 30d ", 2_592_000)]
)
def test_parse(text: str, seconds: int) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5h", "1d12h", "30 d", "3w", "٣d", "for ever", "1" * 11])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration") as raised:
        durations.parse(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (2_592_000, "30d"), (129_600, "36h"), (61, "61s")])
def test_text_is_short(seconds: int, text: str) -> None:
    assert durations.text(seconds) == text


@given(st.integers(0, 10**9))
def test_text_says_exactly_what_was_meant(seconds: int) -> None:
    assert durations.parse(durations.text(seconds)) == seconds

from hypothesis import given
from hypothesis import strategies as st

from ingest.minutes import HOUR_MS, MINUTE_MS, Mark
from ingest.rollup.spans import Span, spans

TAGS = st.sampled_from(["", "a.b.c", "a.b.d", *(f"a.b.s{i}" for i in range(20))])
MARKS = st.sets(st.builds(Mark, st.integers(0, 3000).map(lambda minute: minute * MINUTE_MS), TAGS), max_size=80)


@given(MARKS)
def test_law_every_mark_is_covered_by_spans_of_whole_windows(marks: set[Mark]) -> None:
    found = spans(marks, MINUTE_MS)
    for mark in marks:
        assert any(span.tag in ("", mark.tag) and span.start_ms <= mark.start_ms < span.stop_ms for span in found), (
            f"{mark} is not covered by {found}"
        )
    for span in found:
        assert span.start_ms % MINUTE_MS == span.stop_ms % MINUTE_MS == 0
        assert span.stop_ms - span.start_ms <= (1440 if span.tag else 10) * MINUTE_MS


def of(tag: str, *minutes: int) -> list[Mark]:
    return [Mark(minute * MINUTE_MS, tag) for minute in minutes]


def test_neighbours_share_a_span_and_the_newest_comes_first() -> None:
    assert spans(of("", 1, 2, 3, 7), MINUTE_MS) == [
        Span(7 * MINUTE_MS, 8 * MINUTE_MS, ""),
        Span(1 * MINUTE_MS, 4 * MINUTE_MS, ""),
    ]


def test_a_sensors_near_minutes_share_a_span() -> None:
    assert spans(of("a.b.c", 1, 20, 100), MINUTE_MS) == [
        Span(100 * MINUTE_MS, 101 * MINUTE_MS, "a.b.c"),
        Span(1 * MINUTE_MS, 21 * MINUTE_MS, "a.b.c"),
    ]


def test_where_all_are_counted_no_sensor_is_counted_again() -> None:
    assert spans([*of("", 1), *of("a.b.c", 1)], MINUTE_MS) == [Span(MINUTE_MS, 2 * MINUTE_MS, "")]


def test_many_sensors_are_counted_together() -> None:
    marks = [mark for number in range(17) for mark in of(f"a.b.s{number}", 5)]
    assert spans(marks, MINUTE_MS) == [Span(5 * MINUTE_MS, 6 * MINUTE_MS, "")]


def test_hours_of_all_are_asked_for_one_by_one() -> None:
    assert spans([Mark(HOUR_MS, ""), Mark(2 * HOUR_MS, "")], HOUR_MS) == [
        Span(2 * HOUR_MS, 3 * HOUR_MS, ""),
        Span(HOUR_MS, 2 * HOUR_MS, ""),
    ]

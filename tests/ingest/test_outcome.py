import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.outcome import MAX_RETRY_AFTER_SECONDS, Answer, Outcome, outcome_of, retry_after_seconds


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 204), Outcome.STORED),
        ((None, 408, 429, 500, 502, 503, 504, 599), Outcome.RETRY),
        ((401, 403, 404, 301, 307, 405, 418), Outcome.BLOCKED),
        ((400, 413, 422), Outcome.REFUSED),
    ],
)
def test_the_table(statuses: tuple[int | None, ...], outcome: Outcome) -> None:
    assert {status: outcome_of(Answer(status)) for status in statuses} == dict.fromkeys(statuses, outcome)


@given(st.integers(100, 999))
def test_only_2xx_is_stored_and_only_three_answers_refuse(status: int) -> None:
    outcome = outcome_of(Answer(status))
    assert (outcome is Outcome.STORED) is (200 <= status < 300)
    assert (outcome is Outcome.REFUSED) is (status in (400, 413, 422))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("7", 7.0),
        ("-1", 0.0),
        ("soon", 0.0),
        ("999999", MAX_RETRY_AFTER_SECONDS),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:05 GMT", 0.0),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", 0.0),
        ("Mon, 1 Jan 2024 00:00:00 +99999999999999999999", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header, now_seconds=10.0) == seconds


def test_a_date_is_read_by_the_servers_own_clock_where_it_tells_it() -> None:
    later, date = "Tue, 24 Nov 2026 12:00:30 GMT", "Tue, 24 Nov 2026 12:00:00 GMT"
    for wrong_clock_seconds in (0.0, 4e9):
        assert retry_after_seconds(later, wrong_clock_seconds, date) == 30.0


# Of text alone hardly any comes near a date.
DATES = st.builds(
    "{}, {} {} {} {}".format,
    st.sampled_from(["Mon", "x"]),
    st.integers(),
    st.sampled_from(["Jan", "Feb", "x"]),
    st.integers(),
    st.sampled_from(["00:00:00 GMT", "00:00:00 -9999", "00:00 +99999999999999999999", "99:99:99 GMT", "::", "1.2"]),
)
HEADERS = st.none() | st.text() | st.text(alphabet="0123456789²٣+-:, .") | DATES


@given(HEADERS, st.floats(-1e18, 1e18), HEADERS)
def test_whatever_the_headers_say_the_wait_is_a_number_within_its_limit(
    header: str | None, now_seconds: float, date: str | None
) -> None:
    assert 0.0 <= retry_after_seconds(header, now_seconds, date) <= MAX_RETRY_AFTER_SECONDS

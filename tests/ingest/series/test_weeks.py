"""The laws of weeks: those around now always, others up to the limit, and none that never got to disk."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.event import MAX_TIMESTAMP_MS, Event
from ingest.events import Events
from ingest.reject import Reject
from ingest.series.registry import Registry, SeriesLimits, id_of
from ingest.series.weeks import WEEK_MS, is_week, week_of

NOW_MS = 1_795_000_000_000
PAST_MS = NOW_MS - 100 * WEEK_MS


def registry(most: int, *known_ms: int) -> Registry:
    return Registry(SeriesLimits(max_weeks=most), map(week_of, known_ms))


def refused(registry: Registry, time_ms: int) -> str:
    standing = registry.admit_time(time_ms, NOW_MS)
    return standing.code if isinstance(standing, Reject) else ""


def save(registry: Registry, *times_ms: int, lines: bool = False) -> None:
    events = [] if lines else [Event(time_ms, "a.b.c", "1") for time_ms in times_ms]
    ready = [b'm f="1 2" %d\n' % (time_ms * 1_000_000) for time_ms in times_ms] if lines else []
    with registry.saving(registry.unsaved(Events.of(events), ready)):
        pass


@given(st.integers(0, MAX_TIMESTAMP_MS))
def test_a_week_begins_on_monday_as_a_shard_does(time_ms: int) -> None:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    begin = datetime.fromtimestamp((week_of(time_ms) * WEEK_MS - 3 * 86_400_000) / 1000, UTC)
    assert begin.weekday() == 0
    assert 0 <= (moment - begin).total_seconds() < 7 * 86_400


def test_no_series_is_taken_for_a_week() -> None:
    assert is_week(week_of(0))
    assert is_week(week_of(MAX_TIMESTAMP_MS))
    assert not any(is_week(id_of(f"a.b.{number}")) for number in range(10_000))


@pytest.mark.parametrize("lines", [False, True])
def test_no_more_than_the_limit_and_the_known_ones_always(lines: bool) -> None:
    weeks = registry(3, PAST_MS)
    times = [PAST_MS + number * WEEK_MS for number in range(5)]
    assert [refused(weeks, time_ms) for time_ms in times] == ["", "", "", "week_limit", "week_limit"]
    assert "--max-weeks" in weeks.warnings()[0]
    save(weeks, *times[:3], lines=lines)
    assert [refused(weeks, time_ms) for time_ms in times] == ["", "", "", "week_limit", "week_limit"]
    assert weeks.gauges() == {"series": 0, "weeks": 3}


def test_the_present_is_taken_whatever_others_have_stored() -> None:
    weeks = registry(1, PAST_MS)
    assert [refused(weeks, NOW_MS + number * WEEK_MS) for number in range(-2, 3)] == [
        "week_limit",
        "",
        "",
        "",
        "week_limit",
    ]
    save(weeks, NOW_MS)
    start, stop = weeks.weeks.around(NOW_MS)
    assert start <= NOW_MS <= stop == start + WEEK_MS - 1


@given(st.sets(st.integers(1000, 1040)), st.integers(1000, 1040))
def test_around_is_every_week_that_is_known_without_a_gap(known: set[int], week: int) -> None:
    weeks = registry(100, *(number * WEEK_MS for number in known)).weeks
    start, stop = weeks.around(week * WEEK_MS)
    covered = {number for number in range(900, 1100) if start <= number * WEEK_MS <= stop}
    run = {week} if week in known else set()
    while grown := {number for one in run for number in (one - 1, one, one + 1) if number in known} - run:
        run |= grown
    assert covered == run


def test_what_never_got_to_disk_takes_no_place() -> None:
    seconds = 0.0
    weeks = Registry(SeriesLimits(max_weeks=1), clock_seconds=lambda: seconds)
    assert (refused(weeks, PAST_MS), refused(weeks, PAST_MS - WEEK_MS)) == ("", "week_limit")
    seconds = 61.0
    assert (refused(weeks, PAST_MS - WEEK_MS), refused(weeks, PAST_MS)) == ("", "week_limit")


def test_without_a_limit_nothing_is_remembered() -> None:
    weeks = registry(0)
    assert not any(refused(weeks, number * WEEK_MS) for number in range(5_000))
    assert weeks.gauges()["weeks"] == 0
    assert weeks.weeks.around(time.time_ns() // 1_000_000) == (0, MAX_TIMESTAMP_MS)

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive.names import ArchiveFile, Kind, hour_name
from ingest.archive.retention import Retention, expired

HOUR_MS = 3_600_000
NOW_MS = 1_795_442_400_000 + 10 * 60_000


def file(hours_ago: int, size: int = 10, folder: str = "processed") -> ArchiveFile:
    hour = hour_name(NOW_MS - hours_ago * HOUR_MS)
    return ArchiveFile(hour, Kind.COMPRESSED, Path(folder) / hour, size)


FILES = st.lists(st.builds(file, st.integers(-2, 50), st.integers(0, 100), st.sampled_from(["processed", "error"])))
RETENTIONS = st.builds(Retention, st.integers(0, 60 * HOUR_MS), st.integers(0, 1000))


def ages(files: list[ArchiveFile]) -> list[str]:
    return [one.hour for one in files]


@pytest.mark.parametrize(
    ("age_ms", "left"),
    [
        (0, [0, 1, 2, 3]),
        (1, [0]),
        # The hour before this one ended ten minutes ago.
        (10 * 60_000, [0]),
        (10 * 60_000 + 1, [0, 1]),
        (HOUR_MS + 10 * 60_000, [0, 1]),
        (HOUR_MS + 10 * 60_000 + 1, [0, 1, 2]),
    ],
)
def test_an_hour_is_too_old_when_its_end_is(age_ms: int, left: list[int]) -> None:
    files = [file(hours_ago) for hours_ago in range(4)]
    removed = expired(files, Retention(max_age_ms=age_ms), NOW_MS)
    assert [one for one in files if one not in removed] == [file(hours_ago) for hours_ago in left]


def test_of_too_much_the_oldest_hours_go_whole_and_only_as_many_as_needed() -> None:
    files = [file(3, 10), file(3, 10, "error"), file(2, 10), file(1, 10), file(0, 10)]
    assert expired(files, Retention(max_bytes=50), NOW_MS) == []
    assert expired(files, Retention(max_bytes=49), NOW_MS) == files[:2]
    assert expired(files, Retention(max_bytes=30), NOW_MS) == files[:2]
    assert expired(files, Retention(max_bytes=29), NOW_MS) == files[:3]


@given(FILES, RETENTIONS)
def test_laws(files: list[ArchiveFile], retention: Retention) -> None:
    removed = expired(files, retention, NOW_MS)
    left = [one for one in files if one not in removed]
    assert all(one.hour < hour_name(NOW_MS) for one in removed), "the current hour stays"
    assert not {one.hour for one in left} & {one.hour for one in removed}, "whole hours go"
    if removed and left:
        assert max(ages(removed)) < min(ages(left)), "the oldest go first"
    past = [one for one in left if one.hour < hour_name(NOW_MS)]
    if retention.max_bytes and past:
        assert sum(one.bytes for one in left) <= retention.max_bytes
    if retention.max_age_ms:
        assert all(one.hour >= hour_name(NOW_MS - retention.max_age_ms) for one in past)


def test_an_age_that_reaches_beyond_all_time_keeps_everything() -> None:
    assert expired([file(3), file(1)], Retention(max_age_ms=99_999_999_999_000), NOW_MS) == []

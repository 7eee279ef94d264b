"""Minutes that wait to be counted, on a disk that alters them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.minutes import Mark, mended
from tests.ingest.spool.test_spool import opened

MINUTE = 1_600_000_020_000


@pytest.mark.parametrize(
    ("column", "altered", "left"),
    [
        ("tag", "a.b.c19x'", {Mark(MINUTE, "")}),
        ("tag", b"\xff.b.c19", {Mark(MINUTE, "")}),
        ("minute_ms", MINUTE | 1 << 50, {Mark(MINUTE, "a.b.c19")}),
        ("minute_ms", MINUTE ^ 1 << 20, {Mark(MINUTE, "a.b.c19")}),
        ("minute_ms", "x", set()),
    ],
)
async def test_an_altered_mark_is_mended_as_far_as_it_can_be_known(
    tmp_path: Path, column: str, altered: object, left: set[Mark]
) -> None:
    others = [Mark(MINUTE - 60_000 * n, f"a.b.c{n}") for n in range(1, 19)]
    async with opened(tmp_path) as spool:
        await spool.backlog.restore([], [], [*others, Mark(MINUTE, "a.b.c19")])
        spool.backlog._file.writer.execute(f"UPDATE dirty_minutes SET {column} = ? WHERE tag = 'a.b.c19'", (altered,))
        dirty = await spool.dirty(100)
        assert {one.mark for one in dirty} == {*others, *left}
        assert spool.depth.dirty_minutes == len(dirty)
        await spool.clean(dirty)
        assert spool.depth.dirty_minutes == 0
    async with opened(tmp_path) as spool:
        assert spool.backlog._file.notes == []


@given(minute=st.integers(0, 150_000_000).map(lambda number: number * 60_000), bit=st.integers(0, 62))
def test_one_flipped_bit_of_a_minute_is_always_seen_and_taken_back(minute: int, bit: int) -> None:
    assert mended(Mark(minute, "a.b.c")) == Mark(minute, "a.b.c")
    assert mended(Mark(minute ^ 1 << bit, "a.b.c")) == Mark(minute, "a.b.c")

"""The marks of several spools as those of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.minutes import Mark
from ingest.rollup.marks import JoinedMarks
from ingest.spool.spool import Spool
from tests.ingest.spool.test_spool import opened

MINUTE = 1_600_000_020_000


@asynccontextmanager
async def two_spools(folder: Path) -> AsyncIterator[tuple[Spool, Spool]]:
    for name in ("1", "2"):
        (folder / name).mkdir()
    async with opened(folder / "1") as one, opened(folder / "2") as two:
        yield one, two


async def mark(spool: Spool, *minutes: int, tag: str = "a.b.c") -> None:
    await spool.backlog.restore([], [], [Mark(MINUTE + 60_000 * minute, tag) for minute in minutes])


async def test_each_minute_comes_once_and_every_spool_forgets_it(tmp_path: Path) -> None:
    async with two_spools(tmp_path) as (one, two):
        await mark(one, 0, 2, 4)
        await mark(two, 1, 2, 3)
        joined = JoinedMarks([one, two])
        assert joined.depth.dirty_minutes == 6
        found = await joined.dirty(100)
        assert [dirty.mark.start_ms for dirty in found] == [MINUTE + 60_000 * minute for minute in (4, 3, 2, 1, 0)]
        await joined.clean(found[:3])
        assert [dirty.mark.start_ms for dirty in await one.dirty(9)] == [MINUTE]
        assert [dirty.mark.start_ms for dirty in await two.dirty(9)] == [MINUTE + 60_000]


async def test_what_is_marked_again_in_one_spool_while_it_is_counted_stays_marked_there(tmp_path: Path) -> None:
    async with two_spools(tmp_path) as (one, two):
        await mark(one, 0)
        await mark(two, 0)
        joined = JoinedMarks([one, two])
        before = await joined.dirty(100)
        await mark(two, 0)
        await joined.clean(before)
        assert await one.dirty(9) == []
        (again,) = await joined.dirty(9)
        assert [again] == await two.dirty(9)
        assert again.mark == Mark(MINUTE, "a.b.c")


async def test_of_more_than_are_asked_for_the_newest_come(tmp_path: Path) -> None:
    async with two_spools(tmp_path) as (one, two):
        await mark(one, 0, 2, 4)
        await mark(two, 1, 3, 5)
        found = await JoinedMarks([one, two]).dirty(2)
        assert [dirty.mark.start_ms for dirty in found] == [MINUTE + 60_000 * minute for minute in (5, 4)]

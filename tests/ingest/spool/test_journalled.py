"""Events of known series in the spool: in the journal and in memory first, in the backlog where they wait for long."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from ingest.background import beside
from ingest.errors import DiskFailed, SpoolFull
from ingest.minutes import MINUTE_MS, Mark
from ingest.spool.changes import Blob
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool
from ingest.sqlite import connect
from tests.faults.small_disk import small_disk
from tests.ingest.spool.filled import fill_spool

START_MS = 1_600_000_020_000
ALL = (2**60, 2**60)


@asynccontextmanager
async def opened(folder: Path, max_bytes: int = 2**20, max_waiting_bytes: int = 2**20) -> AsyncIterator[Spool]:
    spool = Spool(folder, max_bytes, max_waiting_bytes=max_waiting_bytes, reserve_bytes=2**20)
    try:
        yield spool
    finally:
        await spool.close()


def line(number: int) -> bytes:
    series = "events,country=brasil,region=sul,sensor=s1,status=processado"
    return f"{series} value={number} {START_MS + number * 1000}000000\n".encode()


def blob(*numbers: int) -> Blob:
    marks = {Mark((START_MS + number * 1000) // MINUTE_MS * MINUTE_MS, "brasil.sul.s1") for number in numbers}
    return Blob(b"".join(map(line, numbers)), len(numbers), are_events=True, marks=frozenset(marks))


def waiting(spool: Spool) -> bytes:
    rows = spool.waiting.take(*ALL)
    spool.waiting.put_back(rows)
    return b"".join(row.lines for row in rows)


async def in_backlog(spool: Spool) -> bytes:
    return b"".join(row.lines for row in await spool.backlog.read(Lane(0), *ALL))


def journals(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.glob("journal-[0-9]*"))


async def until_moved(spool: Spool) -> None:
    async with asyncio.timeout(20), beside(spool.tend()):
        while spool.waiting.points:
            await asyncio.sleep(0.01)


async def test_they_wait_in_memory_in_order_and_are_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        for number in range(5):
            await spool.append([blob(number)])
        assert waiting(spool) == b"".join(map(line, range(5)))
        assert (spool.depth.points, spool.depth.bytes) == (5, sum(len(line(number)) for number in range(5)))
        assert await in_backlog(spool) == b""


async def test_after_a_crash_they_wait_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1, 2), blob(3)])
        shutil.copytree(tmp_path, tmp_path / "left")
    async with opened(tmp_path / "left") as spool:
        assert waiting(spool) == line(1) + line(2) + line(3)
        assert spool.depth.points == 3
        # What is stored now marks the same minutes, and the journal's file goes.
        await spool.stored(spool.waiting.take(*ALL))
        assert [dirty.mark.start_ms for dirty in await spool.dirty(10)] == [START_MS // MINUTE_MS * MINUTE_MS]
        assert spool.depth.points == 0
        assert journals(tmp_path / "left") == []


async def test_what_is_stored_marks_its_minutes_before_the_journal_forgets_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1), blob(100)])
        await spool.stored(spool.waiting.take(*ALL))
        assert (spool.depth.points, spool.depth.dirty_minutes) == (0, 2)
        shutil.copytree(tmp_path, tmp_path / "left")
        assert len(await spool.dirty(10)) == 2
    async with opened(tmp_path / "left") as spool:
        # The marks were in memory only: the crash has left the events.
        assert waiting(spool) == line(1) + line(100)
    async with opened(tmp_path) as spool:
        assert (waiting(spool), spool.depth.dirty_minutes) == (b"", 2)
        assert journals(tmp_path) == []


async def test_what_waits_for_long_is_moved_to_the_backlog_and_leaves_the_journal(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1), blob(2)])
        await until_moved(spool)
        assert await in_backlog(spool) == line(1) + line(2)
        assert spool.depth.points == 2
    assert journals(tmp_path) == []


async def test_what_memory_should_not_hold_is_moved_at_once_the_oldest_first(tmp_path: Path) -> None:
    async with opened(tmp_path, max_waiting_bytes=2 * len(line(1))) as spool:
        for number in range(5):
            await spool.append([blob(number)])
        async with asyncio.timeout(1.5), beside(spool.tend()):
            # Taken out of memory they are a moment before they are in the backlog.
            while await in_backlog(spool) != line(0) + line(1) + line(2):
                await asyncio.sleep(0.01)
            assert waiting(spool) == line(3) + line(4)


async def test_what_is_moved_goes_in_parts_whatever_waits(tmp_path: Path) -> None:
    """One commit of all of it would hold up other commits, take as much memory again, and twice as much of the disk."""
    part = blob(*range(10_000))
    async with opened(tmp_path, max_bytes=2**30, max_waiting_bytes=8 * 2**20) as spool:
        for _ in range(16):
            await spool.append([part])
        assert spool.depth.bytes > 12 * 2**20
        await until_moved(spool)
        assert await in_backlog(spool) == part.lines * 16
        assert (tmp_path / "spool.db.reserve").stat().st_size < 2**20 + 10 * 2**20


async def test_a_sender_quicker_than_influxdb_waits_until_some_of_it_is_taken_but_not_for_long(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2**20, crowd_bytes=len(line(1)))
    async with asyncio.timeout(20):
        await spool.append([blob(0)])
        spool.take(1, 1)
        await spool.append([blob(1)])
        held_back = asyncio.create_task(spool.append([blob(2)]))
        while spool.depth.points < 3:
            await asyncio.sleep(0.001)
        assert not held_back.done()
        spool.take(1, 1)
        await held_back
        started = time.monotonic()
        await spool.append([blob(3)])
        assert time.monotonic() - started > 0.1
        # Nobody takes anything: InfluxDB is away, and nothing is gained by waiting.
        await asyncio.sleep(0.6)
        started = time.monotonic()
        await spool.append([blob(4)])
        assert time.monotonic() - started < 0.15
    await spool.close()


async def test_of_senders_who_were_held_back_nothing_stays_however_long_it_is_crowded(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2**20, crowd_bytes=1)
    for number in range(30):
        await spool.append([blob(number)])
    # Some are taken all the time, and never so many that it is not crowded.
    for number in range(2):
        spool.take(1, 1)
        await asyncio.gather(*(spool.append([blob(number)]) for _ in range(10)))
    assert len(spool._held_back) == 0
    given_up = asyncio.create_task(spool.append([blob(1)]))
    async with asyncio.timeout(20):
        while not spool._held_back:
            await asyncio.sleep(0.001)
    given_up.cancel()
    await asyncio.wait([given_up])
    assert len(spool._held_back) == 0
    await spool.close()


async def test_the_cap_counts_what_waits_in_memory(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=len(line(1)) + 1) as spool:
        await spool.append([blob(1)])
        with pytest.raises(SpoolFull):
            await spool.append([blob(2)])
        assert "is full" in str(await spool.trouble())


async def test_the_first_event_of_a_series_goes_where_series_are_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1)], series=[4711])
        assert (waiting(spool), await in_backlog(spool)) == (b"", line(1))
    async with opened(tmp_path) as spool:
        assert spool.backlog.series() == {4711}


async def leave_an_altered_record(folder: Path) -> None:
    """In ``left`` of ``folder``, what a crash left of three lines; the disk has altered the second."""
    async with opened(folder) as spool:
        for number in range(3):
            await spool.append([blob(number)])
        shutil.copytree(folder, folder / "left")
    (name,) = journals(folder / "left")
    path = folder / "left" / name
    path.write_bytes(path.read_bytes().replace(b"value=1 ", b"value=9 "))


async def test_what_the_disk_altered_is_kept_apart_and_its_neighbours_wait(tmp_path: Path) -> None:
    await leave_an_altered_record(tmp_path)
    async with opened(tmp_path / "left") as spool:
        assert waiting(spool) == line(0) + line(2)
        await spool.dirty(1)
        assert await spool.backlog.damaged_rows() == 1
        await spool.stored(spool.waiting.take(*ALL))
    async with opened(tmp_path / "left") as spool:
        assert (await spool.backlog.damaged_rows(), journals(tmp_path / "left")) == (1, [])


async def test_what_the_backlog_does_not_take_stays_where_it_is_and_new_events_are_refused_in_time(
    tmp_path: Path,
) -> None:
    size = len(line(1))
    async with opened(tmp_path, max_waiting_bytes=size) as spool:
        with closing(connect(spool.path)) as other:
            spool.backlog._file.writer.execute("PRAGMA busy_timeout=10")
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                await spool.append([blob(number)])
            (first,) = spool.take(1, 1)
            with pytest.raises(DiskFailed):
                await spool.move([first])
            spool.waiting.put_back([first])
            with pytest.raises(SpoolFull):
                await spool.append([blob(3)])
            assert "in memory" in str(await spool.trouble())
            other.execute("ROLLBACK")
        await until_moved(spool)
        assert await in_backlog(spool) == line(0) + line(1) + line(2)
        assert await spool.trouble() is None


async def test_while_the_backlogs_file_is_gone_nothing_leaves_the_journal_for_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1)])
        rows = spool.take(*ALL)
        spool.path.unlink()
        with pytest.raises(DiskFailed, match="gone"):
            await spool.move(rows)
        await spool.stored(rows)
        with pytest.raises(DiskFailed, match="gone"):
            await spool.dirty(1)
        assert len(journals(tmp_path)) == 1


async def test_a_journal_that_is_gone_is_missed_and_told_of(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob(1)])
        shutil.copytree(tmp_path, tmp_path / "left")
    (name,) = journals(tmp_path / "left")
    (tmp_path / "left" / name).unlink()
    async with opened(tmp_path / "left") as spool:
        (note,) = spool.backlog._file.notes
        assert "is gone" in note.sentence()


async def test_a_full_disk_refuses_what_is_new_and_takes_up_again_when_enough_is_stored(tmp_path: Path) -> None:
    lines = b"".join(line(number) for number in range(8_000))
    big = Blob(lines, 8_000, are_events=True, marks=frozenset({Mark(0, "")}))
    with small_disk(tmp_path / "disk", megabytes=64) as folder:
        spool = Spool(folder, 2**40, reserve_bytes=6 * 2**20)
        taken = await fill_spool(spool, big)
        assert taken > 20
        assert "No space" in str(await spool.trouble())
        rows = spool.waiting.take(*ALL)
        assert b"".join(row.lines for row in rows) == lines * taken
        await spool.stored(rows)
        async with asyncio.timeout(20):
            await spool.dirty(1)
            while await spool.trouble():
                await asyncio.sleep(0.1)
        await spool.append([big])
        assert waiting(spool) == lines
        await spool.close()


async def test_while_the_backlogs_file_is_gone_nothing_is_acked_that_would_be_in_it_and_that_is_told(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as spool:
        spool.path.unlink()
        with pytest.raises(DiskFailed, match="gone"):
            await spool.append([Blob(b"cpu value=1 1\n", 1)])
        with pytest.raises(DiskFailed, match="gone"):
            await spool.append([blob(1)], series=[4711])
        assert "gone" in str(await spool.trouble())


async def test_marks_that_cannot_be_told_take_no_memory_for_each_sensor(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        for number in range(100):
            await spool.append([Blob(line(1), 1, are_events=True, marks=frozenset({Mark(0, f"a.b.s{number}")}))])
        await spool.stored(spool.take(*ALL))
        spool.path.rename(tmp_path / "elsewhere")
        with pytest.raises(DiskFailed):
            await spool.dirty(1000)
        assert spool.depth.dirty_minutes == 1
        (tmp_path / "elsewhere").rename(spool.path)
        assert [one.mark for one in await spool.dirty(1000)] == [Mark(0, "")]


async def test_what_the_disk_altered_is_told_once_whatever_else_its_file_waits_for(tmp_path: Path) -> None:
    await leave_an_altered_record(tmp_path)
    for _ in range(3):
        async with opened(tmp_path / "left") as spool:
            assert waiting(spool) == line(0) + line(2)
            await spool.dirty(1)
            assert await spool.backlog.damaged_rows() == 1


async def test_the_journal_has_an_end_where_the_backlog_does_not_take_its_marks(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2**30, max_journal_bytes=40 * 2**20, reserve_bytes=2**20)
    part = Blob(line(1) * 50_000, 50_000, are_events=True, marks=frozenset({Mark(0, "")}))
    spool.path.unlink()
    for _ in range(10):
        await spool.append([part])
        # InfluxDB has all of it at once; what it touched cannot be written down.
        await spool.stored(spool.take(*ALL))
    with pytest.raises(SpoolFull, match="journal's files have"):
        await spool.append([part])
    await spool.close()

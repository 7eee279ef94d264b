import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from ingest.errors import DeadLettersFull, DiskFailed, SpoolFull
from ingest.event import Event
from ingest.events import Events
from ingest.line_protocol import LineEncoder
from ingest.minutes import Mark
from ingest.spool import dead_letter
from ingest.spool.changes import Blob
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.file import FILE_NAME
from ingest.spool.lanes import Lane
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from ingest.sqlite import connect

MEBIBYTE = 2**20


@asynccontextmanager
async def opened(folder: Path, max_bytes: int = MEBIBYTE) -> AsyncIterator[Spool]:
    spool = Spool(folder, max_bytes)
    try:
        yield spool
    finally:
        await spool.close()


def blob(text: str) -> Blob:
    return Blob(text.encode(), text.count("\n"))


async def everything(spool: Spool) -> list[Row]:
    return await spool.backlog.read(Lane(0), 10**9, 10**9)


async def test_first_in_first_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        for number in range(5):
            await spool.append([blob(f"m v={number}\n")])
        rows = await everything(spool)
    assert b"".join(row.lines for row in rows) == b"m v=0\nm v=1\nm v=2\nm v=3\nm v=4\n"
    assert [row.id for row in rows] == sorted(row.id for row in rows)


async def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1\nm v=2\n")])
    async with opened(tmp_path) as spool:
        (row,) = await everything(spool)
        assert (row.lines, row.points) == (b"m v=1\nm v=2\n", 2)
        assert (spool.depth.points, spool.depth.bytes) == (2, 12)


async def test_what_arrives_together_shares_rows_but_no_blob_is_split(tmp_path: Path) -> None:
    big = "m v=1\n" * 100_000
    async with opened(tmp_path, 10 * MEBIBYTE) as spool:
        await asyncio.gather(
            *(spool.append([blob(big)]) for _ in range(4)), *(spool.append([blob("n v=1\n")]) for _ in range(50))
        )
        rows = await everything(spool)
    assert sum(row.points for row in rows) == 400_050
    assert len(rows) < 10
    assert all(len(row.lines) <= 1_000_000 for row in rows)


async def test_rows_keep_to_the_size_of_a_write_whatever_arrives_together(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEBIBYTE, row_points=10, row_bytes=100)
    await asyncio.gather(*(spool.append([blob("m v=1\n")]) for _ in range(300)), spool.append([blob("m v=1\n" * 50)]))
    rows = await everything(spool)
    assert sum(row.points for row in rows) == 350
    assert [row.points for row in rows if row.points > 10 or len(row.lines) > 100] == [50]
    await spool.close()


async def test_reading_keeps_to_its_limits_but_gives_at_least_one_row(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        for _ in range(5):
            await spool.append([blob("m v=1\nm v=2\n")])
        assert [
            len(await spool.backlog.read(Lane(0), points, size))
            for points, size in ((1, 10**6), (4, 10**6), (10**6, 1), (10**6, 24))
        ] == [1, 2, 1, 2]
        first = await spool.backlog.read(Lane(0), 4, 10**6)
        assert [row.id for row in await spool.backlog.read(Lane(first[-1].id), 10**6, 10**6)] == [3, 4, 5]


async def test_removed_rows_are_gone_and_the_depth_follows(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1\n")])
        await spool.append([blob("m v=2\n")])
        rows = await everything(spool)
        await spool.backlog.remove(rows[:1])
        assert [row.lines for row in await everything(spool)] == [b"m v=2\n"]
        assert (spool.depth.points, spool.depth.oldest_ms) == (1, rows[1].time_ms)
        await spool.backlog.remove(rows[1:])
        assert (spool.depth.points, spool.depth.bytes, spool.depth.oldest_ms) == (0, 0, None)


async def test_an_id_is_never_used_twice(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1\n")])
        rows = await everything(spool)
        await spool.backlog.remove(rows)
        await spool.append([blob("m v=2\n")])
        assert (await everything(spool))[0].id > rows[0].id


async def test_a_full_spool_takes_nothing_until_there_is_room(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=100) as spool:
        await spool.append([blob("m v=1\n" * 16)])
        with pytest.raises(SpoolFull):
            await spool.append([blob("m v=1\n")])
        assert await spool.trouble() is not None
        await spool.backlog.remove(await everything(spool))
        await spool.append([blob("m v=1\n")])
        assert await spool.trouble() is None


async def test_appends_under_way_count_for_the_cap(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=100) as spool:
        results = await asyncio.gather(
            *(spool.append([blob("m v=1\n" * 4)]) for _ in range(10)), return_exceptions=True
        )
        assert [type(result) for result in results].count(SpoolFull) == 6
        assert spool.depth.bytes == 96


async def test_dead_lines_move_in_the_commit_that_removes_their_row(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1\nm v=x\n")])
        await spool.backlog.remove(await everything(spool), [DeadLetter(b"m v=x\n", "invalid boolean", 5)])
        assert (spool.depth.points, spool.depth.dead_letters) == (0, 1)
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        assert dead_letter.select(connection) == [DeadLetter(b"m v=x\n", "invalid boolean", 5, 1)]


async def test_the_commit_that_removes_rows_marks_the_minutes_of_their_events(tmp_path: Path) -> None:
    lines = LineEncoder().encode(Events.of([Event(60_000 * i, "a.b.c", "1") for i in (5, 7)]))
    async with opened(tmp_path) as spool:
        await spool.append([Blob(lines, 2), blob("m v=1\n")])
        assert (await spool.dirty(10), spool.depth.dirty_minutes) == ([], 0)
        await spool.backlog.remove(await everything(spool))
    async with opened(tmp_path) as spool:
        dirty = await spool.dirty(10)
        assert [one.mark for one in dirty] == [Mark(60_000 * i, "a.b.c") for i in (7, 5)]
        assert await spool.dirty(1) == dirty[:1]
        assert spool.depth.dirty_minutes == 2
        await spool.clean(dirty[:1])
        assert (await spool.dirty(10), spool.depth.dirty_minutes) == (dirty[1:], 1)


async def test_a_minute_that_was_marked_again_goes_on_waiting(tmp_path: Path) -> None:
    lines = LineEncoder().encode(Events.of([Event(60_000, "a.b.c", "1")]))
    async with opened(tmp_path) as spool:
        await spool.append([Blob(lines, 1)])
        await spool.backlog.remove(await everything(spool))
        seen = await spool.dirty(10)
        await spool.append([Blob(lines, 1)])
        await spool.backlog.remove(await everything(spool))
        await spool.clean(seen)
        (again,) = await spool.dirty(10)
        assert (again.mark, again.marked != seen[0].marked) == (Mark(60_000, "a.b.c"), True)
        await spool.clean([again])
        assert spool.depth.dirty_minutes == 0


async def test_who_counted_a_mark_that_is_gone_takes_no_later_one_away(tmp_path: Path) -> None:
    lines = LineEncoder().encode(Events.of([Event(60_000, "a.b.c", "1")]))
    async with opened(tmp_path) as spool:
        await spool.append([Blob(lines, 1)])
        await spool.backlog.remove(await everything(spool))
        seen = await spool.dirty(10)
        await spool.clean(seen)
        await spool.append([Blob(lines, 1)])
        await spool.backlog.remove(await everything(spool))
        # Said twice, the second time late.
        await spool.clean(seen)
        assert len(await spool.dirty(10)) == 1


async def test_a_disk_that_fails_is_told_and_recovers(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        pages = spool.backlog._file.writer.execute("PRAGMA page_count").fetchone()[0]
        spool.backlog._file.writer.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(DiskFailed, match="full"):
            await spool.append([blob("m v=1\n" * 10_000)])
        assert await everything(spool) == []
        spool.backlog._file.writer.execute("PRAGMA query_only=1")
        assert "readonly" in str(await spool.trouble())
        spool.backlog._file.writer.execute("PRAGMA query_only=0")
        assert await spool.trouble() is None, "it has to find out by itself: while it says so, nobody sends anything"


async def test_the_file_shrinks_again_after_a_backlog(tmp_path: Path) -> None:
    async with opened(tmp_path, 100 * MEBIBYTE) as spool:
        await spool.append([blob("m v=1\n" * 100_000) for _ in range(40)])
        await spool.backlog.remove(await everything(spool))
        for _ in range(10):
            await spool.append([blob("m v=1\n")])
            await spool.backlog.remove(await everything(spool))
    assert (tmp_path / FILE_NAME).stat().st_size < 5 * MEBIBYTE


KILLED = """
import asyncio, sys
from pathlib import Path
from ingest.spool.spool import Spool
from ingest.spool.changes import Blob

async def main():
    spool = Spool(Path(sys.argv[1]), 2**30)
    number = 0
    while True:
        await asyncio.gather(*(spool.append([Blob(b"m v=%d\\n" % (number + i), 1)]) for i in range(20)))
        for i in range(20):
            print(number + i)
        sys.stdout.flush()
        number += 20

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.2, 0.35])
def test_kill_9_loses_nothing_that_was_acked(tmp_path: Path, seconds: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    acked = [process.stdout.readline()]
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
    acked += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        lines = b"".join(lines for (lines,) in connection.execute("SELECT lines FROM spool ORDER BY id")).splitlines()
    kept = [int(line.removeprefix(b"m v=")) for line in lines]
    assert len(acked) >= 20
    assert kept == list(range(len(kept))), "the order was lost"
    assert len(kept) >= len([line for line in acked if line.endswith(b"\n")])


async def test_when_dead_letters_fill_their_room_only_events_are_taken(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6, max_dead_letter_bytes=100)
    event, other = Blob(b"events,sensor=a value=1 1\n", 1, are_events=True), Blob(b"m v=1 1\n", 1)
    letter = DeadLetter(b"m v=x 1\n" * 10, "a field of another type, as it is", 1)
    await spool.backlog.remove([], [letter])
    assert spool.depth.dead_letter_bytes == 80 + 33
    await spool.append([event])
    with pytest.raises(DeadLettersFull, match="dead letters hold 100 bytes"):
        await spool.append([event, other])
    assert spool.depth.points == 1
    await spool.close()

    with closing(connect(tmp_path / FILE_NAME)) as connection:
        dead_letter.delete(connection, dead_letter.select(connection))
    spool = Spool(tmp_path, 10**6, max_dead_letter_bytes=100)
    await spool.append([event, other])
    assert (spool.depth.points, spool.depth.dead_letter_bytes) == (3, 0)
    await spool.close()


async def test_the_depth_is_right_after_every_commit_however_much_is_read_meanwhile(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:

        async def read_on() -> None:
            while True:
                await spool.backlog.read(Lane(0), 10, 1000)

        reading = asyncio.create_task(read_on())
        for number in range(1, 501):
            await spool.append([blob("m v=1 1\n")])
            assert spool.depth.points == number
        reading.cancel()
        await asyncio.wait([reading])

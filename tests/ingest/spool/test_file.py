"""The spool's file: replaced where it is damaged, and by no more than what is damaged."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ingest.errors import DiskFailed
from ingest.spool.changes import Blob
from ingest.spool.file import FILE_NAME
from ingest.spool.lanes import Lane
from ingest.sqlite import connect
from tests.ingest.spool.test_spool import MEBIBYTE, blob, everything, opened


async def test_a_spool_comes_back_by_itself_when_setting_its_file_aside_failed(tmp_path: Path) -> None:
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    async with opened(folder) as spool:
        await spool.append([blob("m v=1 1\n")])
        spool.backlog._file.writer.execute("UPDATE totals SET points = points + 1")
        folder.rename(away)
        with pytest.raises(DiskFailed):
            await spool.backlog.read(Lane(99), 10, 10)
        for _ in range(2):
            with pytest.raises(DiskFailed, match="folder"):
                await spool.append([blob("m v=2 2\n")])
        assert await spool.trouble() is not None
        away.rename(folder)
        await spool.append([blob("m v=3 3\n")])
        assert await spool.trouble() is None
        assert [row.lines for row in await everything(spool)] == [b"m v=3 3\n"]
        assert spool.depth.points == 1
        (note,) = spool.backlog._file.notes
        assert (folder / note.file).stat().st_size > 0


async def test_a_broken_page_of_the_known_series_costs_the_list_and_not_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1 1\n")], list(range(5000)))
        await spool.backlog.learn([], all_of_them=True)
    for table in ("series", "series_learned"):
        folder = tmp_path / table
        shutil.copytree(tmp_path, folder, ignore=shutil.ignore_patterns("series*"))
        with closing(connect(folder / FILE_NAME)) as connection:
            (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        with (folder / FILE_NAME).open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(bytes(4096))
        async with opened(folder) as spool:
            assert (spool.backlog.series(), spool.backlog.has_learned) == (set(), False)
            assert len(spool.backlog._file.notes) == 1


@pytest.mark.parametrize("rows", [10, 1500])
async def test_a_row_that_lies_about_its_points_costs_that_row_alone(tmp_path: Path, rows: int) -> None:
    async with opened(tmp_path) as spool:
        await asyncio.gather(*(spool.append([Blob(b"m v=1 %d\n" % n, 1)]) for n in range(rows)))
        spool.backlog._file.writer.execute(
            "INSERT INTO spool (time_ms, points, bytes, lines, crc) VALUES (1, 65, 6, 'm v=1', 9)"
        )
        while got := await spool.backlog.read(Lane(0), 5000, MEBIBYTE):
            await spool.backlog.remove(got)
        assert (spool.depth.points, spool.depth.bytes) == (0, 0)
        assert (await spool.backlog.damaged_rows(), spool.backlog._file.notes) == (1, [])


async def test_an_altered_row_that_no_lane_reaches_is_found_by_the_audit(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1 1\n")])
        spool.backlog._file.writer.execute("UPDATE spool SET points = points + 64")
        assert await spool.backlog.read(Lane(99), 10, 10) == []
        assert (await spool.backlog.damaged_rows(), spool.depth.points, spool.backlog._file.notes) == (1, 0, [])


async def test_series_that_were_learned_into_a_damaged_file_are_asked_for_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([blob("m v=1 1\n")])
        await spool.backlog.learn([1, 2], all_of_them=False)
        spool.backlog._file.writer.execute("UPDATE totals SET points = points + 1")
        with pytest.raises(DiskFailed):
            await spool.backlog.read(Lane(99), 10, 10)
        await spool.backlog.learn([3], all_of_them=True)
        assert spool.backlog.has_learned
    async with opened(tmp_path) as spool:
        assert (spool.backlog.series(), spool.backlog.has_learned) == ({3}, False)

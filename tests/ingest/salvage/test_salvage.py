"""Salvage beside a real spool: whatever it meets, it ends no service, and each thing is there once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.salvage.salvage import Salvage
from ingest.spool.changes import Blob
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.file import FILE_NAME
from ingest.spool.spool import Spool
from tests.ingest.spool.damaged_spool import LETTER

MAX_DEAD_LETTER_BYTES = 60_000
BIG_LETTER = DeadLetter(b"cpu v=1 1\n", "x" * 100, 1)
WAITING = 600


@asynccontextmanager
async def salvaging(folder: Path, max_dead_letter_bytes: int = 2**30) -> AsyncIterator[tuple[Spool, Salvage]]:
    spool = Spool(folder, 10**9, max_dead_letter_bytes=max_dead_letter_bytes)
    salvage = Salvage(spool, rest_seconds=0.01)
    task = asyncio.create_task(salvage.run())
    try:
        yield spool, salvage
        assert not task.done(), f"salvage ended: {task}"
    finally:
        task.cancel()
        await asyncio.wait([task])
        await spool.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def spoil(folder: Path) -> None:
    with (folder / FILE_NAME).open("r+b") as file:
        file.write(b"garbage")


@pytest.fixture
async def full_of_letters(tmp_path: Path) -> Path:
    """A broken spool whose dead letters are at their limit, with points of other measurements behind them."""
    folder = tmp_path / "data"
    folder.mkdir()
    spool = Spool(folder, 10**9)
    await spool.backlog.remove([], [BIG_LETTER] * 540)
    for number in range(WAITING):
        await spool.append([Blob(b'cpu t="%s" %d\n' % (b"y" * 100, number), 1)])
    await spool.backlog.remove([], [BIG_LETTER] * 10)
    await spool.close()
    spoil(folder)
    return folder


async def test_no_limit_for_senders_keeps_out_what_was_acked_once(full_of_letters: Path) -> None:
    async with salvaging(full_of_letters, MAX_DEAD_LETTER_BYTES) as (spool, salvage):
        await until(lambda: bool(salvage.notes) and all(note.done for note in salvage.notes))
        assert spool.dead_letters_full
        assert (spool.depth.points, spool.depth.dead_letters) == (WAITING, 550)


async def test_what_an_earlier_start_has_saved_of_the_letters_is_not_there_twice(full_of_letters: Path) -> None:
    async with salvaging(full_of_letters, MAX_DEAD_LETTER_BYTES) as (spool, _):
        # Stopped in the middle.
        await until(lambda: spool.depth.dead_letters > 0)
        await until(lambda: any(note.dead_letters for note in spool.backlog._file.notes))
    for _ in range(2):
        async with salvaging(full_of_letters, MAX_DEAD_LETTER_BYTES) as (spool, salvage):
            await until(lambda: bool(salvage.notes) and all(note.done for note in salvage.notes))
            assert spool.depth.dead_letters == 550


async def test_a_file_that_cannot_be_read_is_named_and_the_others_are_saved(tmp_path: Path) -> None:
    async with salvaging(tmp_path) as (spool, _):
        await spool.backlog.remove([], [LETTER])
    spoil(tmp_path)
    (tmp_path / f"{FILE_NAME}.damaged-1").mkdir()
    async with salvaging(tmp_path) as (spool, salvage):
        await until(lambda: spool.depth.dead_letters == 1 and any("IsADirectory" in it for it in salvage.warnings()))

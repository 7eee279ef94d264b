import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.errors import StoreUnavailable
from ingest.sqlite import connect
from ingest.store.readers import Readers

FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def database(folder: Path) -> Path:
    """A file that is there already, as the writer makes it."""
    path = folder / "x.db"
    connect(path).close()
    return path


def for_ever(connection: sqlite3.Connection) -> object:
    return connection.execute(FOR_EVER).fetchall()


def quick(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT 1").fetchall()


@pytest.fixture
async def readers(tmp_path: Path) -> AsyncIterator[Readers]:
    readers = Readers(database(tmp_path), most=2, longest_seconds=0.3)
    async with asyncio.timeout(20):
        yield readers
        await readers.close()


async def test_a_query_that_takes_too_long_is_ended_and_the_next_one_has_its_connection(readers: Readers) -> None:
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=r"longer than 0\.3 s"):
            await readers.run(for_ever)
    assert await readers.run(quick) == [(1,)]


async def test_whoever_gives_up_has_its_query_ended(tmp_path: Path) -> None:
    readers = Readers(database(tmp_path), most=1)
    for rest in (0, 0.001, 0.1):
        reading = asyncio.create_task(readers.run(for_ever))
        await asyncio.sleep(rest)
        reading.cancel()
        async with asyncio.timeout(20):
            assert await readers.run(quick) == [(1,)]
    await readers.close()


async def test_closing_ends_what_runs_and_refuses_what_waits(tmp_path: Path) -> None:
    readers = Readers(database(tmp_path), most=2)
    reads = [asyncio.create_task(readers.run(for_ever)) for _ in range(50)]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await readers.close()
    assert time.monotonic() - started < 10
    ends = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(end) for end in ends] == [sqlite3.OperationalError] * 2 + [StoreUnavailable] * 48

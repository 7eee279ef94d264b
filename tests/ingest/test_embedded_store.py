"""What the embedded store alone has to stand."""

import asyncio
from pathlib import Path

import pytest

from ingest.errors import DiskFailed, StoreUnavailable
from ingest.event import Event
from ingest.events import Events
from ingest.metrics import Metrics
from ingest.store import Selection
from ingest.store.embedded import EmbeddedStore
from ingest.store.embedded_queries import Query


async def test_a_disk_that_fails_is_told_by_the_embedded_store_until_it_is_well_again(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, Metrics())
    store._writer.execute("PRAGMA query_only=1")
    with pytest.raises(DiskFailed):
        await store.append(Events.of([Event(1_539_112_021_301, "a.b.c", "1")]), [])
    assert "cannot be written" in str(await store.trouble())
    store._writer.execute("PRAGMA query_only=0")
    assert await store.trouble() is None
    await store.close()


SLOW = Query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", [])


async def test_closing_interrupts_a_read_that_would_never_end(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, Metrics())
    reading = asyncio.create_task(store._read(SLOW))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await store.close()
    with pytest.raises(StoreUnavailable, match="interrupted"):
        await reading


async def test_a_read_that_nobody_waits_for_makes_room_for_the_next(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, Metrics())
    for _ in range(10):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store._read(SLOW)
    assert await store.counts(Selection()) == []
    await store.close()

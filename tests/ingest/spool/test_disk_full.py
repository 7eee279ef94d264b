"""A spool on a disk that is full: a real one, small enough to be filled."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import DiskFailed
from ingest.spool.changes import Blob
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool
from tests.faults.small_disk import fill, small_disk
from tests.ingest.spool.filled import fill_spool

RESERVE_BYTES = 6 * 2**20
LINES = b"".join(b"m v=%d\n" % i for i in range(8_000))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=32) as folder:
        yield folder


async def ship_all(spool: Spool) -> int:
    """Take everything to nowhere as a shipper would; how many points."""
    shipped = 0
    async with asyncio.timeout(60):
        while rows := await spool.backlog.read(Lane(0), 5000, 10**6):
            try:
                await spool.backlog.remove(rows)
            except DiskFailed:
                await asyncio.sleep(0.05)
                continue
            shipped += sum(row.points for row in rows)
    return shipped


@pytest.mark.parametrize("points", [8_000, 1])
async def test_a_full_disk_refuses_what_is_new_ships_what_it_has_and_takes_up_again_by_itself(
    disk: Path, points: int
) -> None:
    spool = Spool(disk, 2**40, reserve_bytes=RESERVE_BYTES)
    # Single events would take long to fill it.
    await asyncio.to_thread(lambda: (disk / "others").write_bytes(bytes((4 if points > 1 else 22) * 2**20)))
    taken = await fill_spool(spool, Blob(LINES if points > 1 else b"m v=1\n", points))
    ballast = fill(disk)
    assert "No space" in str(await spool.trouble())
    # Nobody makes room, and what is shipped leaves nevertheless.
    assert await ship_all(spool) == taken * points
    if points == 1:
        # Here it was others who filled the disk.
        ballast.unlink()
    async with asyncio.timeout(20):
        while await spool.trouble():
            await asyncio.sleep(0.1)
    await spool.append([Blob(b"m v=2\n", 1)])
    assert [row.lines for row in await spool.backlog.read(Lane(0), 10, 1000)] == [b"m v=2\n"]
    await spool.close()


async def test_it_takes_up_again_when_someone_makes_room(disk: Path) -> None:
    others = disk / "others"
    others.write_bytes(bytes(12 * 2**20))
    spool = Spool(disk, 2**40, reserve_bytes=RESERVE_BYTES)
    taken = await fill_spool(spool, Blob(LINES, 8_000))
    fill(disk)
    await asyncio.sleep(1.1)
    with pytest.raises(DiskFailed):
        await spool.append([Blob(LINES, 8_000)])
    others.unlink()
    async with asyncio.timeout(20):
        while await spool.trouble():
            await asyncio.sleep(0.1)
    await spool.append([Blob(b"m v=2\n", 1)])
    assert await ship_all(spool) == taken * 8_000 + 1
    await spool.close()


async def test_a_spool_on_a_full_disk_starts_and_ships(disk: Path) -> None:
    spool = Spool(disk, 2**40, reserve_bytes=RESERVE_BYTES)
    taken = await fill_spool(spool, Blob(LINES, 8_000))
    await spool.close()
    fill(disk)
    spool = Spool(disk, 2**40, reserve_bytes=RESERVE_BYTES)
    assert await ship_all(spool) == taken * 8_000
    await spool.close()

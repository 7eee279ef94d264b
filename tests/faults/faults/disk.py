"""What the disk does: it is full, it fails, it loses its power, it damages files; and two processes on one folder."""

import asyncio
import errno
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from ingest.spool.set_aside import notes
from tests.faults.disk_shim import DiskShim
from tests.faults.faults.fault import EMBEDDED, INFLUX, Fault
from tests.faults.scene import Scene
from tests.faults.small_disk import fill, small_disk

_FILES = {EMBEDDED: "events.db", INFLUX: "spool.db"}
# The spool's reserve is 16 of them.
_DISK_MEGABYTES = 80
# Of readings: some 60 KB as lines of the spool.
_LARGE_GROUP = 1_000
_AGAIN_SECONDS = 60.0
_SALVAGED_SECONDS = 60.0


async def _disk_fails(scene: Scene, random: Random) -> None:
    with tempfile.TemporaryDirectory(prefix="pulso-shim-") as folder:
        shim = DiskShim(Path(folder), scene.service.folder)
        await _restart(scene, shim.variables)
        await scene.acks(random.randrange(100))
        error, percent = random.choice([errno.EIO, errno.ENOSPC]), random.choice([20, 100])
        fails = random.choice(["fsync", "write", "both"])
        shim.fail(
            fsync=0 if fails == "write" else error,
            write=0 if fails == "fsync" else error,
            percent=percent,
        )
        await asyncio.sleep(random.uniform(0.5, 2.0))
        shim.well()
        await scene.live_again(_AGAIN_SECONDS)
        await _restart(scene, {})


async def _killed_after_a_failed_commit(scene: Scene, random: Random) -> None:
    """The pages of a large group that failed stand in the log, and the next, smaller ones are acked: then the end."""
    with tempfile.TemporaryDirectory(prefix="pulso-shim-") as folder, _influx_away(scene):
        shim = DiskShim(Path(folder), scene.service.folder)
        await _restart(scene, shim.variables)
        await scene.acks(50 + random.randrange(100))
        shim.fail(fsync=errno.EIO)
        if await scene.post_together(_LARGE_GROUP):
            scene.strange.append("a group was acked, though its fsync failed")
        shim.well()
        await scene.acks(1)
        await _restart(scene, {})


async def _power_is_cut(scene: Scene, random: Random) -> None:
    with tempfile.TemporaryDirectory(prefix="pulso-shim-") as folder, _influx_away(scene):
        shim = DiskShim(Path(folder), scene.service.folder)
        await asyncio.to_thread(scene.service.kill)
        # What an earlier process left is on the platter.
        shutil.copytree(scene.service.folder, shim.platter, dirs_exist_ok=True)
        shim.tear(random.choice([0, 0, 20]))
        await asyncio.to_thread(scene.service.start, **shim.variables)
        await scene.acks(50 + random.randrange(300))
        await asyncio.to_thread(scene.service.kill)
        shutil.rmtree(scene.service.folder)
        shutil.copytree(shim.platter, scene.service.folder)
        await asyncio.to_thread(scene.service.start)


async def _disk_is_full(scene: Scene, random: Random) -> None:
    home = scene.service.folder
    with (
        tempfile.TemporaryDirectory(prefix="pulso-disk-") as there,
        small_disk(Path(there) / "disk", _DISK_MEGABYTES) as disk,
    ):
        await asyncio.to_thread(scene.service.kill)
        scene.service.folder = shutil.copytree(home, disk / "data")
        await asyncio.to_thread(scene.service.start, INGEST_ARCHIVE_DIR=str(disk / "archive"))
        await scene.acks(random.randrange(200))
        ballast = await asyncio.to_thread(fill, disk)
        await asyncio.sleep(random.uniform(1.0, 3.0))
        if not scene.service.is_alive:
            scene.strange.append(f"a full disk has ended the service: {scene.service.log[-3:]}")
        ballast.unlink()
        await scene.live_again(_AGAIN_SECONDS)
        await asyncio.to_thread(scene.service.kill)
        shutil.rmtree(home)
        scene.service.folder = shutil.copytree(disk / "data", home)
    await asyncio.to_thread(scene.service.start)


async def _head_is_damaged(scene: Scene, random: Random) -> None:
    """The rows are whole, so nothing may be lost."""
    await asyncio.to_thread(scene.service.kill)
    with (scene.service.folder / _FILES[scene.store]).open("r+b") as file:
        file.write(random.randbytes(random.randrange(1, 100)))
    await asyncio.to_thread(scene.service.start)
    async with asyncio.timeout(_SALVAGED_SECONDS):
        while not all(note.done for note in notes(scene.service.folder / _FILES[scene.store])):
            await asyncio.sleep(0.1)


async def _second_process(scene: Scene, _: Random) -> None:
    command = [sys.executable, "-m", "ingest", "serve", "--port", "0", "--data-dir", str(scene.service.folder)]
    second = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    if second.returncode != 1 or "another ingest runs on" not in second.stderr:
        scene.strange.append(f"a second process ended with {second.returncode}: {second.stderr}")


@contextmanager
def _influx_away(scene: Scene) -> Iterator[None]:
    """What was acked is in the spool then, and nowhere else."""
    if scene.influx is None:
        yield
        return
    scene.influx.proxy.away = True
    try:
        yield
    finally:
        scene.influx.proxy.away = False


async def _restart(scene: Scene, variables: dict[str, str]) -> None:
    await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start, **variables)


# A row that was altered is kept apart, which the oracle would call lost: test_spool_damage has it.
_SAID = frozenset({"spool_remove_failed", "spool_move_failed", "spool_read_failed", "spool_not_tended"})

FAULTS = (
    Fault(name="disk-fails", strike=_disk_fails, said=_SAID),
    Fault(name="disk-fails-kill", strike=_killed_after_a_failed_commit, said=_SAID),
    Fault(name="disk-full", strike=_disk_is_full, said=_SAID),
    Fault(name="power-cut", strike=_power_is_cut),
    Fault(
        name="spool-damaged", strike=_head_is_damaged, stores=(INFLUX,), said=frozenset({"spool_damaged", "salvaged"})
    ),
    Fault(name="second-process", strike=_second_process),
)

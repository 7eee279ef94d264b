"""A start with a backlog: quick, in little memory, and what comes now does not wait for what has waited for long."""

import asyncio
import re
import time
from pathlib import Path
from random import Random

from tests.faults import filler, scan
from tests.faults.faults.fault import INFLUX, Fault
from tests.faults.scene import Scene

_MEGABYTES = 40
_START_SECONDS = 20.0
MOST_RESIDENT_MB = 200
_DRAINED_SECONDS = 240.0
_POLL_SECONDS = 0.05


async def _backlog(scene: Scene, _random: Random) -> None:
    bucket, server = scene.behind.bucket, scene.behind.server
    await asyncio.to_thread(scene.service.kill)
    before = await asyncio.to_thread(filler.stored, server, bucket)
    points = await asyncio.to_thread(filler.fill, scene.service.folder, _MEGABYTES)
    began = time.monotonic()
    await asyncio.to_thread(scene.service.start)
    if time.monotonic() - began > _START_SECONDS:
        scene.strange.append(f"with a backlog it takes {time.monotonic() - began:.1f} s to start")
    # More than once, for the first may be lucky.
    for _ in range(3):
        await scene.live_again(within_seconds=60.0)
    if await asyncio.to_thread(scan.spooled_points, scene.service.folder) < points / 10:
        scene.strange.append("the backlog was gone too soon to say anything of fresh events: make it larger")
    most_mb = await _drained(scene)
    if most_mb > MOST_RESIDENT_MB:
        scene.strange.append(f"with a backlog it takes {most_mb:.0f} MB of memory")
    now = await asyncio.to_thread(filler.stored, server, bucket)
    # The same points each time: a second backlog lands on the first.
    if now != max(points, before):
        scene.strange.append(f"of a backlog of {points} points {now} are stored")


async def _drained(scene: Scene) -> float:
    """Return once little waits; the most memory that was taken meanwhile, in MB."""
    most_mb = 0.0
    async with asyncio.timeout(_DRAINED_SECONDS):
        while await asyncio.to_thread(scene.service.metric, "ingest_spool_points") > 1000:
            most_mb = max(most_mb, resident_mb(scene.service.pid))
            await asyncio.sleep(_POLL_SECONDS)
    return most_mb


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1000


FAULTS = (Fault(name="backlog", strike=_backlog, stores=(INFLUX,)),)

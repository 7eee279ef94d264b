"""InfluxDB is away until the spool is full: what is not kept is refused, and when it is back there is room again."""

import asyncio
import json
from random import Random

from tests.faults.faults.fault import INFLUX, Fault
from tests.faults.scene import Scene

_REFUSED = 'ingest_events_rejected_total{reason="spool_full"}'
_MORE_REFUSALS = 20
_FULL_SECONDS = 120.0
_ROOM_SECONDS = 60.0


async def _full(scene: Scene, _random: Random) -> None:
    scene.behind.proxy.away = True
    try:
        await _refuses(scene)
        await _refuses(scene, _MORE_REFUSALS)
        ready = await asyncio.to_thread(scene.service.answer, "/ready")
        if ready[0] != 503 or not any("spool is full" in reason for reason in json.loads(ready[1])["reasons"]):
            scene.strange.append(f"with a full spool /ready says {ready}")
    finally:
        scene.behind.proxy.away = False
    async with asyncio.timeout(_ROOM_SECONDS):
        while (await asyncio.to_thread(scene.service.answer, "/ready"))[0] != 200:
            await asyncio.sleep(0.1)


async def _refuses(scene: Scene, more: int = 1) -> None:
    """Return once so many more requests were refused, because the spool is full."""
    before = await _refused(scene)
    async with asyncio.timeout(_FULL_SECONDS):
        while await _refused(scene) < before + more:
            await asyncio.sleep(0.1)


async def _refused(scene: Scene) -> float:
    return await asyncio.to_thread(scene.service.metric, _REFUSED, 0.0)


FAULTS = (Fault(name="spool-full", strike=_full, stores=(INFLUX,), options=("--spool-max-bytes", str(2**20))),)

"""The real InfluxDB: stopped, killed, frozen."""

import asyncio
from random import Random

from tests.faults.faults.fault import INFLUX, Fault
from tests.faults.scene import Scene

_LONGEST_SECONDS = 3.0


async def _stopped(scene: Scene, random: Random) -> None:
    await asyncio.to_thread(scene.behind.influxd.stop)
    await _start_later(scene, random)


async def _killed(scene: Scene, random: Random) -> None:
    await asyncio.to_thread(scene.behind.influxd.kill)
    await _start_later(scene, random)


async def _frozen(scene: Scene, random: Random) -> None:
    scene.behind.influxd.freeze()
    try:
        await asyncio.sleep(random.uniform(0.5, _LONGEST_SECONDS))
    finally:
        scene.behind.influxd.thaw()


async def _start_later(scene: Scene, random: Random) -> None:
    try:
        await asyncio.sleep(random.random() * _LONGEST_SECONDS)
    finally:
        await asyncio.to_thread(scene.behind.influxd.start)


FAULTS = (
    Fault(name="influx-stopped", strike=_stopped, stores=(INFLUX,)),
    Fault(name="influx-killed", strike=_killed, stores=(INFLUX,)),
    Fault(name="influx-frozen", strike=_frozen, stores=(INFLUX,)),
)

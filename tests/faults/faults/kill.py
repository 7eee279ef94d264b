"""``kill -9`` of the service, at random moments."""

import asyncio
from random import Random

from tests.faults.faults.fault import Fault
from tests.faults.scene import Scene


async def _kill(scene: Scene, random: Random) -> None:
    await asyncio.sleep(random.random() * 0.2)
    await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start)


FAULTS = (Fault(name="kill", strike=_kill),)

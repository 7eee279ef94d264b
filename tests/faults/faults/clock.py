"""The system clock is set under the service: forward and back, by moments, hours and years."""

import asyncio
import tempfile
from pathlib import Path
from random import Random

from tests.faults.faults.fault import Fault
from tests.faults.jumping_clock import HOUR_SECONDS, YEAR_SECONDS, JumpingClock
from tests.faults.scene import Scene

_JUMPS = 4
_ACKS_BETWEEN = 30
# Further back the senders' readings would lie a day ahead, and be refused as they must.
_OFFSETS_SECONDS = (-20 * HOUR_SECONDS, -HOUR_SECONDS, -1.0, -0.05, 0.05, 1.0, HOUR_SECONDS, 40 * YEAR_SECONDS)


async def _jumps(scene: Scene, random: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = await asyncio.to_thread(JumpingClock, Path(folder))
        await asyncio.to_thread(scene.service.kill)
        clock.jump(random.choice(_OFFSETS_SECONDS))
        await asyncio.to_thread(scene.service.start, **clock.variables)
        for _ in range(_JUMPS):
            await scene.acks(1 + random.randrange(_ACKS_BETWEEN))
            clock.jump(random.choice(_OFFSETS_SECONDS))
        await scene.acks(_ACKS_BETWEEN)
        await scene.live_again(within_seconds=60.0)
        await asyncio.to_thread(scene.service.stop)
    await asyncio.to_thread(scene.service.start)


FAULTS = (Fault(name="clock", strike=_jumps),)

"""SIGTERM: the service stops within its grace time with exit code 0, whatever InfluxDB is doing."""

import asyncio
import signal
import time
from random import Random
from subprocess import TimeoutExpired

from tests.faults.faults.fault import INFLUX, Fault, Strike
from tests.faults.faults.influx_answers import ruled
from tests.faults.scene import Scene
from tests.ingest.influx_proxy import PassLate, Say, Step

# The default of --grace-seconds, and what a machine with other things to do adds to it.
_WITHIN_SECONDS = 8.0 + 4.0
_STARTS_WITHIN_SECONDS = 1.5
_HANGS_SECONDS = 60.0


async def stops(scene: Scene, signals: int, random: Random, codes: tuple[int, ...] = (0,)) -> None:
    """Send ``signals`` SIGTERMs, look at the end, and start the service again."""
    started = time.monotonic()
    for _ in range(signals):
        if scene.service.is_alive:
            scene.service.popen.terminate()
        await asyncio.sleep(random.random() * 0.3 if signals > 1 else 0.0)
    try:
        code = await asyncio.to_thread(scene.service.ended, _HANGS_SECONDS)
    except TimeoutExpired:
        await asyncio.to_thread(scene.service.kill)
        code = -signal.SIGKILL
    seconds = time.monotonic() - started
    if code not in codes:
        scene.strange.append(f"{signals} SIGTERM: exit code {code}, {scene.service.log[-2:]}")
    if seconds > _WITHIN_SECONDS:
        scene.strange.append(f"{signals} SIGTERM: it took {seconds:.1f} s to stop")
    await asyncio.to_thread(scene.service.start)


async def _once(scene: Scene, random: Random) -> None:
    await stops(scene, 1, random)


async def _again_and_again(scene: Scene, random: Random) -> None:
    await stops(scene, 12, random)


async def _while_starting(scene: Scene, random: Random) -> None:
    await asyncio.to_thread(scene.service.stop)
    scene.service.launch()
    await asyncio.sleep(random.random() * _STARTS_WITHIN_SECONDS)
    # Before Python has run a line of ours, the system's own answer to the signal is right.
    await stops(scene, 1, random, (0, -signal.SIGTERM))


def _while_influx(step: Step) -> Strike:
    async def strike(scene: Scene, random: Random) -> None:
        async with ruled(scene, lambda _, __: step):
            await asyncio.sleep(random.random())
            await stops(scene, 1, random)

    return strike


async def _while_influx_is_frozen(scene: Scene, random: Random) -> None:
    scene.behind.influxd.freeze()
    try:
        await asyncio.sleep(random.random())
        await stops(scene, 1, random)
    finally:
        scene.behind.influxd.thaw()


FAULTS = (
    Fault(name="sigterm", strike=_once),
    Fault(name="sigterm-again", strike=_again_and_again),
    Fault(name="sigterm-starting", strike=_while_starting),
    Fault(name="sigterm-influx-away", strike=_while_influx(Say(0)), stores=(INFLUX,)),
    Fault(name="sigterm-influx-slow", strike=_while_influx(PassLate(0.8)), stores=(INFLUX,)),
    Fault(name="sigterm-influx-frozen", strike=_while_influx_is_frozen, stores=(INFLUX,)),
)

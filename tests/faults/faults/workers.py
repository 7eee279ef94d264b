"""Several processes on one port: one of them dies, or all, or they are stopped."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.faults.faults.fault import INFLUX, Fault
from tests.faults.faults.sigterm import stops
from tests.faults.scene import Scene

_OPTIONS = ("--workers", "3")
# The main process tells of it, when it is not the main process itself.
_SAID = frozenset({"worker_ended"})


def _beside(scene: Scene) -> list[int]:
    pid = scene.service.pid
    return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _one(scene: Scene, random: Random) -> None:
    await asyncio.sleep(random.random() * 0.3)
    pid = random.choice([scene.service.pid, *_beside(scene)])
    if pid == scene.service.pid:
        await asyncio.to_thread(scene.service.kill)
        await asyncio.to_thread(scene.service.start)
        return
    _kill(pid)


async def _all(scene: Scene, random: Random) -> None:
    await asyncio.sleep(random.random() * 0.3)
    for pid in _beside(scene):
        _kill(pid)
    await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start)


async def _stopped(scene: Scene, random: Random) -> None:
    await stops(scene, 1, random)


def _kill(pid: int) -> None:
    # It may have just died of what was done to it before.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


FAULTS = (
    Fault(name="workers-kill-one", strike=_one, stores=(INFLUX,), options=_OPTIONS, said=_SAID),
    Fault(name="workers-kill-all", strike=_all, stores=(INFLUX,), options=_OPTIONS, said=_SAID),
    Fault(name="workers-sigterm", strike=_stopped, stores=(INFLUX,), options=_OPTIONS),
)

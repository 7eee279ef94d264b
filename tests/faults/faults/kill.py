"""``kill -9`` of the service: at random moments, while it starts, and at every fail point."""

import asyncio
from random import Random
from subprocess import TimeoutExpired

from ingest.fail_points import VARIABLE, Point
from tests.faults.faults.fault import EMBEDDED, INFLUX, Fault, Strike
from tests.faults.scene import Scene

# How often a service under load gets to a point in a second or two; the others are passed once in its life.
_OFTEN = {
    Point.BEFORE_COMMIT: 50,
    Point.IN_COMMIT: 10,
    Point.AFTER_COMMIT: 50,
    Point.BEFORE_ACK: 100,
    Point.AFTER_STORE: 10,
    Point.IN_RECOUNT: 8,
    Point.RECOUNTED: 3,
}
_INFLUX_ONLY = (Point.AFTER_STORE, Point.IN_RECOUNT, Point.RECOUNTED)
_DIES_WITHIN_SECONDS = 60.0
_STARTS_WITHIN_SECONDS = 1.5


async def _at_random(scene: Scene, random: Random) -> None:
    await asyncio.sleep(random.random() * 0.3)
    await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start)


async def _while_starting(scene: Scene, random: Random) -> None:
    await asyncio.to_thread(scene.service.kill)
    scene.service.launch()
    await asyncio.sleep(random.random() * _STARTS_WITHIN_SECONDS)
    await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start)


def _at(point: Point) -> Strike:
    async def strike(scene: Scene, random: Random) -> None:
        await asyncio.to_thread(scene.service.kill)
        times = 1 + random.randrange(_OFTEN.get(point, 1))
        scene.service.launch(**{VARIABLE: f"{point.value}:{times}"})
        if point is Point.STOPPING and await asyncio.to_thread(scene.service.listens, _DIES_WITHIN_SECONDS):
            scene.service.popen.terminate()
        await _has_died(scene, point)
        await asyncio.to_thread(scene.service.start)

    return strike


async def _has_died(scene: Scene, point: Point) -> None:
    try:
        await asyncio.to_thread(scene.service.ended, _DIES_WITHIN_SECONDS)
    except TimeoutExpired:
        await asyncio.to_thread(scene.service.kill)
    last = scene.service.log[-1]
    if last.get("event") != "fail_point_reached":
        scene.strange.append(f"the service never got to the fail point {point.value}, but said {last}")


def _stores(point: Point) -> tuple[str, ...]:
    return (INFLUX,) if point in _INFLUX_ONLY else (EMBEDDED, INFLUX)


FAULTS = (
    Fault(name="kill", strike=_at_random),
    Fault(name="kill-starting", strike=_while_starting),
    *(Fault(name=f"kill-{point.value}", strike=_at(point), stores=_stores(point)) for point in Point),
)

"""Events that InfluxDB's retention takes no more: some from years ago, in the middle of others that it takes."""

import asyncio
from random import Random

import aiohttp

from tests.faults.bodies import ndjson
from tests.faults.faults.fault import INFLUX, Fault
from tests.faults.readings import DOOMED, Reading, Readings
from tests.faults.scene import Scene
from tools.influx_server import call

_KEPT_SECONDS = 10 * 365 * 86_400
_YEAR_MS = 365 * 86_400_000
_OLD, _YOUNG = 2_000, 50
_SECONDS = 60.0


async def _years_back(scene: Scene, random: Random) -> None:
    """InfluxDB keeps ten years; what is older is acked, for ingest has not been told, and becomes a dead letter."""
    await asyncio.to_thread(_keep_ten_years, scene)
    before = await asyncio.to_thread(scene.service.metric, "ingest_events_dead_total")
    first_ms = scene.first_ms - 12 * _YEAR_MS - random.randrange(_YEAR_MS)
    old = [Reading(first_ms + number, DOOMED, str(number), float(number)) for number in range(_OLD)]
    year_old = Readings(Random(random.random()), scene.first_ms - _YEAR_MS - random.randrange(_YEAR_MS), 1)
    readings = [*old, *year_old.take(_YOUNG)]
    random.shuffle(readings)
    body = ndjson(readings)
    scene.history.going_out(readings)
    async with (
        aiohttp.ClientSession(scene.service.url) as client,
        client.post(body.path, data=body.content, headers={"Content-Type": body.content_type}) as answer,
    ):
        scene.history.answered(readings, answer.status, await answer.text(), 0.0)
    async with asyncio.timeout(_SECONDS):
        while await asyncio.to_thread(scene.service.metric, "ingest_events_dead_total") < before + _OLD:
            await asyncio.sleep(0.1)


def _keep_ten_years(scene: Scene) -> None:
    server = scene.behind.server
    (bucket,) = call(server, "GET", "/api/v2/buckets", parameters={"name": scene.behind.bucket})["buckets"]
    rules = {"retentionRules": [{"type": "expire", "everySeconds": _KEPT_SECONDS}]}
    call(server, "PATCH", f"/api/v2/buckets/{bucket['id']}", rules)


FAULTS = (Fault(name="retention", strike=_years_back, stores=(INFLUX,), may_die=DOOMED.rpartition(".")[2].encode()),)

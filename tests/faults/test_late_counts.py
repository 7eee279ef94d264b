"""A count that InfluxDB writes long after it was sent must not stand in the place of a newer one for good."""

import asyncio
import time
from pathlib import Path

from tests.faults.run import Influx
from tests.faults.scene import influx_side, service_in
from tests.faults.service import Service
from tests.ingest.influx_proxy import PassLate, Step

START_MS = 1_539_112_021_301
LATE_SECONDS = 4.0


def event(number: int) -> dict[str, object]:
    return {"timestamp": START_MS + number, "tag": "brasil.sul.s1", "valor": str(number)}


async def counts(service: Service, expected: int, within_seconds: float) -> int:
    """What is counted of the minute, once it is ``expected`` or the time is up."""
    deadline = time.monotonic() + within_seconds
    minute_ms = START_MS - START_MS % 60_000
    path = f"/counts?start={minute_ms}&stop={minute_ms + 60_000}"
    while (counted := await asyncio.to_thread(service.counted, path)) != expected and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return counted


async def test_a_late_count_is_counted_again_though_the_service_was_killed(
    tmp_path: Path, mortal_influx: Influx
) -> None:
    async with influx_side(mortal_influx.influxd, mortal_influx.server) as side:
        late: list[float] = []

        def rule(path: str, _: bytes) -> Step | None:
            if "/write" not in path or f"{side.bucket}-rollup" not in path:
                return None
            late.append(time.monotonic())
            return PassLate(LATE_SECONDS)

        side.proxy.rule = rule
        service = service_in(tmp_path, side, [], {})
        try:
            service.start()
            await asyncio.to_thread(service.post, event(1))
            while not late:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(service.post, event(2))
            await asyncio.sleep(0.5)
            service.kill()
            side.proxy.rule = None
            service.start()
            assert await counts(service, 2, LATE_SECONDS / 2) == 2
            await asyncio.sleep(max(0.0, late[-1] + LATE_SECONDS + 1.0 - time.monotonic()))
            assert await counts(service, 2, 10.0) == 2
        finally:
            service.end()

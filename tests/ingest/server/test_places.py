"""However a write comes, it is counted while it is at work."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from ingest.capacity import Bounds, Capacity
from ingest.decode.limits import ItemLimits
from ingest.decode.line_events import LineDecoder
from ingest.event import Event
from ingest.metrics import Metrics
from ingest.reception import Reception
from ingest.routes.answers import errors_as_json
from ingest.routes.bodies import BodyLimits
from ingest.routes.write import WriteRoutes
from ingest.server.answers import Refusals
from ingest.server.connection import Patience
from ingest.server.listening import Crowd, Doors, listening
from tests.ingest.test_decode import RULES

BODY = b'{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "1"}'
ALONE = b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
UNCOUNTED = {
    "alone": [ALONE],
    "closes": [ALONE.replace(b"Host: p", b"Host: p\r\nConnection: close")],
    "old": [ALONE.replace(b"HTTP/1.1", b"HTTP/1.0")],
    "body later": [ALONE.removesuffix(BODY), BODY],
    "pipelined": [ALONE * 2],
    "escaped": [ALONE.replace(b"/events", b"/%65vents")],
    "absolute": [ALONE.replace(b"/events", b"http://p/events")],
}


class Held:
    """A sink that keeps everything once it is told to."""

    keeps_other_measurements = False

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def append(self, _: Sequence[Event], __: Sequence[bytes]) -> None:
        self.reached.set()
        await self.go_on.wait()

    async def trouble(self) -> str | None:
        return None


@asynccontextmanager
async def serving(sink: Held, capacity: Capacity, metrics: Metrics) -> AsyncIterator[URL]:
    items = ItemLimits(100, 10_000)
    lines = LineDecoder(RULES, time.time_ns, False, items)
    reception, limits = Reception(sink, metrics, 1, archive=None), BodyLimits(10_000, 10_000, 10, items, 1)
    write = WriteRoutes(RULES, lines, reception, metrics, limits, capacity=capacity, keeps_texts=False)
    application = web.Application(middlewares=[errors_as_json])
    application.add_routes(write.routes())
    runner = web.AppRunner(application)
    await runner.setup()
    assert runner.server is not None
    doors = Doors("127.0.0.1", 0, 100, Patience(10, 10, 10))
    try:
        async with listening(Crowd(runner.server, doors, capacity, Refusals({"/events": "overloaded"})), doors) as url:
            yield URL(url)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", UNCOUNTED)
async def test_however_a_write_comes_it_takes_a_place_while_it_is_at_work(kind: str) -> None:
    metrics, sink = Metrics(), Held()
    capacity = Capacity(Bounds(1, 10**6, 100.0), metrics.shed())
    async with serving(sink, capacity, metrics) as url, asyncio.timeout(20):
        first, second = [await asyncio.open_connection(url.host, url.port) for _ in range(2)]
        await send(first[1], UNCOUNTED[kind])
        await sink.reached.wait()
        assert capacity.gauges()["requests_at_work"] == 1
        await send(second[1], UNCOUNTED[kind])
        assert b" 503 " in await second[0].readline()
        sink.go_on.set()
        assert b" 202 " in await first[0].readline()
        while capacity.gauges()["requests_at_work"]:
            await asyncio.sleep(0.01)
        for _, writer in (first, second):
            writer.transport.abort()


async def send(writer: asyncio.StreamWriter, texts: Sequence[bytes]) -> None:
    for text in texts:
        writer.write(text)
        await asyncio.sleep(0.05)

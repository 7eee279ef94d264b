"""Events written to a real InfluxDB with their rollup, without a service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ingest.event import Event
from ingest.events import Events
from ingest.influxql import InfluxQL
from ingest.line_protocol import LineEncoder
from ingest.minutes import touched
from ingest.point_writer import InfluxAddress, PointWriter
from ingest.rollup.recount import Recount
from tools.influx_server import InfluxServer


@dataclass(frozen=True)
class Place:
    """A bucket of events and that of their rollup."""

    events: InfluxQL
    rollup: InfluxQL
    writer: PointWriter
    rollup_writer: PointWriter
    recount: Recount

    async def put(self, events: Sequence[Event]) -> None:
        """Store ``events`` and count what they touched."""
        lines = await self.store(events)
        await self.recount.run(touched(lines))

    async def store(self, events: Sequence[Event]) -> bytes:
        """Store ``events`` only; the lines that were written."""
        lines = LineEncoder().encode(Events.of(events))
        if lines:
            answer = await self.writer.write(lines)
            assert answer.status == 204, answer
        return lines


@asynccontextmanager
async def rolled_up(server: InfluxServer, bucket: str, rollup_url: str = "") -> AsyncIterator[Place]:
    """The buckets ``bucket`` and ``bucket``-rollup, which exist; the latter is reached at ``rollup_url``, if any."""
    places = ((server.url, bucket), (rollup_url or server.url, f"{bucket}-rollup"))
    addresses = [InfluxAddress(url, server.org, name, server.token) for url, name in places]
    async with AsyncExitStack() as stack:
        events, rollup = (InfluxQL(address, 30.0) for address in addresses)
        stack.push_async_callback(events.close)
        stack.push_async_callback(rollup.close)
        writers = [
            await stack.enter_async_context(PointWriter(address, connections=1, timeout_seconds=30.0, gzip=False))
            for address in addresses
        ]
        yield Place(events, rollup, writers[0], writers[1], Recount(events, rollup, writers[1]))

"""The routes that write, on real sockets in front of a sink that does as it is told; and which lane a request took."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from ingest.capacity import Capacity
from ingest.errors import Overloaded
from ingest.event import Event
from ingest.fail_points import never
from ingest.metrics import Metrics
from ingest.routes.answers import code_at
from ingest.routes.write import WRITE_PATHS
from ingest.series.registry import Registry, SeriesLimits
from ingest.server.answers import Refusals
from ingest.server.listening import Crowd, listening
from ingest.settings import Settings
from ingest.wiring.limits import doors_of
from ingest.wiring.serving import application_of, entrance

EVENT = b'{"timestamp":1539112021301,"tag":"brasil.sul.s1","valor":"1"}'
TWO = b"[" + EVENT + b"," + EVENT.replace(b"s1", b"s2") + b"]"
_DATE = re.compile(rb"Date: [^\r]+\r\n")


def post(body: bytes = EVENT, path: bytes = b"/events", lines: Sequence[bytes] = (b"Host: p",)) -> bytes:
    head = b"\r\n".join([b"POST %b HTTP/1.1" % path, *lines, b"Content-Length: %d" % len(body)])
    return head + b"\r\n\r\n" + body


class Told:
    """A sink that keeps everything while it is ``open``, and raises its ``error`` instead if there is one."""

    keeps_other_measurements = True

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.appends = 0
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def append(self, events: Sequence[Event], _: Sequence[bytes]) -> None:
        self.appends += 1
        self.reached.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.kept.extend(events)

    async def trouble(self) -> str | None:
        return None


class Client:
    """A plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> bytes:
        """The whole answer to ``request``, but for its date."""
        self.writer.write(request)
        return await self.answer()

    async def answer(self) -> bytes:
        """The next one; what came, if the connection ended before it was whole."""
        async with asyncio.timeout(20):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                return _DATE.sub(b"", head) + await self._reader.readexactly(int(length[1]) if length else 0)
            except asyncio.IncompleteReadError as end:
                return end.partial
            except ConnectionError:
                return b""

    async def rest(self) -> bytes:
        """All that comes until the connection ends."""
        async with asyncio.timeout(20):
            return await self._reader.read()


class Lanes:
    """A running server."""

    def __init__(self, server: web.Server, port: int, sink: Told, metrics: Metrics, capacity: Capacity) -> None:
        self._server = server
        self.port = port
        self.sink = sink
        self.metrics = metrics
        self.capacity = capacity

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield client
        finally:
            client.writer.transport.abort()

    @property
    def slow_requests(self) -> int:
        """How many went through aiohttp."""
        return self._server.requests_count

    def at_work(self) -> float:
        return self.capacity.gauges()["requests_at_work"]

    async def until_at_work(self, number: int) -> None:
        async with asyncio.timeout(20):
            while self.at_work() != number:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(settings: Settings | None = None, sink: Told | None = None) -> AsyncIterator[Lanes]:
    settings, sink, metrics = settings or Settings(port=0), sink or Told(), Metrics()
    async with entrance(settings, metrics, never) as door:
        routes = door.write_routes(sink, Registry(SeriesLimits()))
        runner = web.AppRunner(application_of([routes]), shutdown_timeout=10)
        await runner.setup()
        assert runner.server is not None
        refusals = Refusals({path: code_at(path, Overloaded()) for path in WRITE_PATHS})
        doors = doors_of(settings, None)
        crowd = Crowd(runner.server, doors, door.capacity, refusals)
        try:
            async with listening(crowd, doors) as url:
                yield Lanes(runner.server, int(url.rpartition(":")[2]), sink, metrics, door.capacity)
        finally:
            await runner.cleanup()


async def let_in(client: Client, **request: object) -> None:
    """Ask once, so that the head is known."""
    assert (await client.ask(post(**request))).startswith(b"HTTP/1.1 20"), request  # type: ignore[arg-type]


async def went_express(lanes: Lanes, client: Client, request: bytes) -> tuple[bytes, bool]:
    before = lanes.slow_requests
    return await client.ask(request), lanes.slow_requests == before


async def send_slowly(client: Client, *pieces: bytes) -> None:
    for piece in pieces:
        client.writer.write(piece)
        await asyncio.sleep(0.05)

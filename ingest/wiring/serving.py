"""From the socket to the routes that take events: the same in every process that takes them."""

import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Middleware

from ingest.access.access import Access
from ingest.archive.archive import Archive
from ingest.background import beside
from ingest.capacity import Capacity
from ingest.config import access_settings
from ingest.decode.line_events import LineDecoder
from ingest.errors import Overloaded
from ingest.fail_points import Reached
from ingest.metrics import Metrics
from ingest.reception import Reception
from ingest.routes.answers import code_at, errors_as_json
from ingest.routes.rates import Rates
from ingest.routes.security_headers import set_security_headers
from ingest.routes.write import WRITE_PATHS, WriteRoutes
from ingest.rules import Rules
from ingest.series.registry import Registry
from ingest.server.answers import Refusals
from ingest.server.listening import Crowd, listening, taking
from ingest.settings import Settings
from ingest.sink import Sink
from ingest.wiring.limits import body_limits, bounds, doors_of, event_limits


def application_of(routes: Sequence[Sequence[web.AbstractRouteDef]], *first: Middleware) -> web.Application:
    """With errors as JSON, and the headers that every answer has. ``first`` are the middlewares before those."""
    application = web.Application(middlewares=[*first, errors_as_json])
    application.on_response_prepare.append(set_security_headers)
    for some in routes:
        application.add_routes(some)
    return application


@dataclass(frozen=True, slots=True)
class Entrance:
    """What stands before the routes: who may come in, how often, and how many at a time."""

    settings: Settings
    metrics: Metrics
    access: Access
    rates: Rates
    capacity: Capacity
    reached: Reached

    def write_routes(self, sink: Sink, series: Registry, archive: Archive | None = None) -> list[web.RouteDef]:
        """What takes events into ``sink``, for clients that may write."""
        rules = Rules(event_limits(self.settings), clock_ms, series)
        limits = body_limits(self.settings)
        keeps_others, keeps_texts = sink.keeps_other_measurements, archive is not None
        write = WriteRoutes(
            rules,
            LineDecoder(rules, time.time_ns, keeps_others, limits.items, keeps_texts=keeps_texts),
            Reception(sink, self.metrics, limits.messages_a_minute, archive=archive, reached=self.reached),
            self.metrics,
            limits,
            capacity=self.capacity,
            keeps_texts=keeps_texts,
        )
        return self.access.guard.for_writing(self.rates.limited(write.routes()))


@asynccontextmanager
async def entrance(settings: Settings, metrics: Metrics, reached: Reached) -> AsyncIterator[Entrance]:
    """Tokens and certificates are read again, and the capacity adapts, until the context ends. Raises Unusable."""
    access = Access(access_settings(settings), metrics)
    capacity = Capacity(bounds(settings), metrics.shed())
    metrics.watch(capacity.gauges)
    rates = Rates(settings.max_requests_a_second, metrics)
    async with access.reload.watching(), beside(capacity.run()):
        yield Entrance(settings, metrics, access, rates, capacity, reached)


@asynccontextmanager
async def serving(
    application: web.Application, entrance: Entrance, inside: Sequence[socket.socket] = ()
) -> AsyncIterator[str]:
    """The URL that is listened on, and who comes to the sockets ``inside`` is taken, too.

    On leaving, requests are finished within the grace time.
    """
    settings, capacity = entrance.settings, entrance.capacity
    doors = doors_of(settings, entrance.access.certificates)
    # aiohttp waits up to its time-out for handlers to finish, and once more for those it then cancels; the other half
    # of the grace time is the shipper's.
    runner = web.AppRunner(application, shutdown_timeout=settings.grace_seconds / 4)
    await runner.setup()
    try:
        refusals = Refusals({path: code_at(path, Overloaded()) for path in WRITE_PATHS})
        server = cast(web.Server, runner.server)
        crowd, workers = (Crowd(server, each, capacity, refusals) for each in (doors, replace(doors, tls=None)))
        entrance.metrics.watch(lambda: {"connections": len(crowd)})
        async with listening(crowd, doors) as url, taking(workers, inside):
            yield url
    finally:
        await runner.cleanup()


def clock_ms() -> int:
    return time.time_ns() // 1_000_000

"""The only wiring: settings in, a running service out."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from ingest.access.access import Access
from ingest.archive.archive import Archive
from ingest.backend import Backend, Intake
from ingest.background import beside
from ingest.data_folder import DataFolder
from ingest.fail_points import Point, Reached, never
from ingest.live.arrivals import Arrivals
from ingest.live.watched_sink import WatchedSink
from ingest.metrics import Metrics
from ingest.rollup.keeper import Keeper, Pace
from ingest.rollup.marks import JoinedMarks
from ingest.rollup.recount import Recount
from ingest.rollup.throttle import Throttle
from ingest.routes.live import LiveRoutes
from ingest.routes.openapi import OpenApiRoutes
from ingest.routes.rates import Rates
from ingest.routes.read import ReadRoutes
from ingest.routes.series import SeriesRoutes
from ingest.routes.service import ServiceRoutes
from ingest.routes.turns import Turns
from ingest.series.registry import Registry, id_of
from ingest.settings import Settings
from ingest.sink import RegisteredSink
from ingest.sqlite import is_damage
from ingest.store.damaged import DamagedStore
from ingest.store.embedded import FILE_NAME, EmbeddedStore
from ingest.store.influx import InfluxStore
from ingest.web.page import WebRoutes
from ingest.wiring.archiving import archiving
from ingest.wiring.limits import series_limits
from ingest.wiring.serving import Entrance, application_of, clock_ms, entrance, serving
from ingest.wiring.shipping import point_writer, reader, shipping
from ingest.workers.crew import Crew
from ingest.workers.everybody import Everybody
from ingest.workers.forward import as_from_its_client
from ingest.workers.inside import listener_inside
from ingest.workers.leftovers import leftovers
from ingest.workers.marks import MemberMarks
from ingest.workers.port import free
from ingest.workers.shares import share


@asynccontextmanager
async def running(settings: Settings, reached: Reached = never) -> AsyncIterator[str]:
    """The service, listening on the URL that is yielded; on leaving it finishes requests, ships and closes, in order.

    Raises FolderInUse, or OSError if it cannot listen or write.
    """
    metrics, arrivals, part = Metrics(), Arrivals(), share(settings)
    # Events that this process takes come to the arrivals as those of the workers beside it do.
    crew = Crew(settings, arrivals)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder(settings.data_dir))
        if settings.workers > 1:
            await free(settings.host, settings.port)
        await stack.enter_async_context(crew.running())
        backend = await stack.enter_async_context(_backend(part, folder, metrics, crew, reached))
        metrics.watch(backend.gauges)
        metrics.watch(crew.gauges)
        reached(Point.STARTED)
        stack.callback(reached, Point.STOPPING)
        await crew.start(backend.intake.series)
        archive = await stack.enter_async_context(archiving(part, settings.archive_dir, metrics))
        before = await stack.enter_async_context(entrance(part, metrics, reached))
        before.access.reload.pass_on = crew.reload
        inside = [stack.enter_context(listener_inside(folder.path))] if crew.members else []
        application = _application(before, backend, archive, arrivals, crew)
        url = await stack.enter_async_context(serving(application, before, inside))
        await crew.listen(urlsplit(url).port or settings.port)
        stack.callback(crew.stop)
        yield url
        structlog.get_logger("app").info("stopping")


@asynccontextmanager
async def _backend(
    settings: Settings, folder: DataFolder, metrics: Metrics, crew: Crew, reached: Reached
) -> AsyncIterator[Backend]:
    if settings.store == "embedded":
        embedded = _embedded_store(folder.path, metrics, reached)
        series = Registry(series_limits(settings, weeks=0), map(id_of, embedded.sensors()))
        try:
            intake = Intake(RegisteredSink(embedded, series), series)
            yield Backend(intake, embedded, store_warnings=embedded.warnings)
        finally:
            await embedded.close()
    else:
        async with _influx_backend(settings, folder, metrics, crew, reached) as backend:
            yield backend


def _embedded_store(folder: Path, metrics: Metrics, reached: Reached) -> EmbeddedStore | DamagedStore:
    try:
        return EmbeddedStore(folder, metrics, reached)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return DamagedStore(folder / FILE_NAME, str(error))


@asynccontextmanager
async def _influx_backend(
    settings: Settings, folder: DataFolder, metrics: Metrics, crew: Crew, reached: Reached
) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        events, rollup = reader(settings, settings.influx_bucket), reader(settings, settings.influx_rollup_bucket)
        store = InfluxStore(events, rollup)
        stack.push_async_callback(store.close)
        left = await stack.enter_async_context(leftovers(settings, events, reached))
        intake = await stack.enter_async_context(shipping(settings, folder.path, events, metrics, reached))
        for each in left:
            intake.series.learned(each.intake.series.ids())
        rollup_writer = await stack.enter_async_context(point_writer(settings, settings.influx_rollup_bucket))
        spools = [one.spool for one in (intake, *(each.intake for each in left)) if one.spool]
        marks = JoinedMarks([*spools, *map(MemberMarks, crew.members)])
        throttle = Throttle(lambda: marks.depth.points)
        recount = Recount(events, rollup, rollup_writer, reached, throttle)
        keeper = Keeper(marks, recount, Pace(settings.rollup_interval_seconds), reached)
        await stack.enter_async_context(beside(keeper.run()))
        yield Backend(intake, store, keeper, left)


def _application(
    entrance: Entrance, backend: Backend, archive: Archive | None, arrivals: Arrivals, crew: Crew
) -> web.Application:
    intake, turns = backend.intake, Turns()
    write = entrance.write_routes(WatchedSink(intake.sink, arrivals), intake.series, archive)
    live = LiveRoutes(backend.store, arrivals, turns)
    warnings = _warnings(entrance.access, backend, archive)
    everybody = Everybody(entrance.metrics, backend.reasons, warnings, crew, backend.left)
    service = ServiceRoutes(everybody.exposition, everybody.reasons, everybody.warnings)
    guard, limited = entrance.access.guard, _rates_of_reads(entrance, crew).limited
    application = application_of(
        [
            write,
            guard.for_reading(limited(ReadRoutes(backend.store, turns).routes())),
            guard.for_reading(limited(live.routes())),
            guard.for_reading(limited(SeriesRoutes(backend.store, clock_ms, turns).routes())),
            guard.for_reading(service.metrics_routes()),
            guard.for_reading(WebRoutes().routes()),
            guard.for_all(service.routes()),
            guard.for_all(OpenApiRoutes().routes()),
        ],
        *([as_from_its_client] if crew.members else ()),
    )
    application.on_shutdown.append(live.close)
    return application


def _rates_of_reads(entrance: Entrance, crew: Crew) -> Rates:
    """All reads come here, wherever their connections do: together they may be as many as the settings say."""
    return Rates(crew.settings.max_requests_a_second, entrance.metrics) if crew.members else entrance.rates


def _warnings(access: Access, backend: Backend, archive: Archive | None) -> Callable[[], list[str]]:
    return lambda: [*backend.warnings(), *(archive.warnings() if archive else ()), *access.warnings()]

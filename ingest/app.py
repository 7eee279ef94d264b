"""The only wiring: settings in, a running service out."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import cast

import structlog
from aiohttp import web

from ingest.access.access import Access
from ingest.access.tls import Certificates
from ingest.archive.archive import Archive
from ingest.archive.folder import ArchiveFolder
from ingest.archive.retention import Retention
from ingest.backend import Backend
from ingest.background import beside
from ingest.capacity import Bounds, Capacity
from ingest.config import access_settings, influx_tokens
from ingest.data_folder import DataFolder
from ingest.decode.limits import ItemLimits
from ingest.decode.line_events import LineDecoder
from ingest.errors import Overloaded
from ingest.fail_points import Point, Reached, never
from ingest.influxql import InfluxQL
from ingest.live.arrivals import Arrivals
from ingest.live.watched_sink import WatchedSink
from ingest.metrics import Metrics
from ingest.point_writer import InfluxAddress, PointWriter
from ingest.rollup.keeper import Keeper, Pace
from ingest.rollup.recount import Recount
from ingest.routes.answers import code_at, errors_as_json
from ingest.routes.bodies import BodyLimits
from ingest.routes.live import LiveRoutes
from ingest.routes.openapi import OpenApiRoutes
from ingest.routes.rates import Rates
from ingest.routes.read import ReadRoutes
from ingest.routes.security_headers import set_security_headers
from ingest.routes.series import SeriesRoutes
from ingest.routes.service import ServiceRoutes
from ingest.routes.turns import Turns
from ingest.routes.write import WRITE_PATHS, WriteRoutes
from ingest.rules import Limits, Rules
from ingest.salvage.salvage import Salvage
from ingest.series.learn import Learner
from ingest.series.registry import Registry, SeriesLimits, id_of
from ingest.server.answers import Refusals
from ingest.server.connection import Patience
from ingest.server.descriptors import room_for
from ingest.server.listening import Crowd, Doors, listening
from ingest.settings import Settings
from ingest.shipper import Batching, Shipper
from ingest.sink import RegisteredSink, SpoolSink
from ingest.spool.spool import Spool
from ingest.sqlite import is_damage
from ingest.store.damaged import DamagedStore
from ingest.store.embedded import FILE_NAME, EmbeddedStore
from ingest.store.influx import InfluxStore
from ingest.web.page import WebRoutes

_READ_TIMEOUT_FACTOR = 3


@asynccontextmanager
async def running(settings: Settings, reached: Reached = never) -> AsyncIterator[str]:
    """The service, listening on the URL that is yielded; on leaving it finishes requests, ships and closes, in order.

    Raises FolderInUse, or OSError if it cannot listen or write.
    """
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(DataFolder(settings.data_dir))
        backend = await stack.enter_async_context(_backend(settings, folder, metrics, reached))
        metrics.watch(backend.gauges)
        reached(Point.STARTED)
        stack.callback(reached, Point.STOPPING)
        archive = await stack.enter_async_context(_archive(settings, settings.archive_dir, metrics))
        access = Access(access_settings(settings), metrics)
        await stack.enter_async_context(access.reload.watching())
        capacity = Capacity(_bounds(settings), metrics.shed())
        metrics.watch(capacity.gauges)
        await stack.enter_async_context(beside(capacity.run()))
        application = _application(settings, access, backend, archive, metrics, capacity=capacity, reached=reached)
        doors = _doors(settings, access.certificates)
        yield await stack.enter_async_context(_listening(settings, application, doors, capacity, metrics))
        structlog.get_logger("app").info("stopping")


@asynccontextmanager
async def _backend(
    settings: Settings, folder: DataFolder, metrics: Metrics, reached: Reached
) -> AsyncIterator[Backend]:
    if settings.store == "embedded":
        embedded = _embedded_store(folder.path, metrics, reached)
        series = Registry(_series_limits(settings, weeks=0), map(id_of, embedded.sensors()))
        try:
            yield Backend(RegisteredSink(embedded, series), embedded, series, store_warnings=embedded.warnings)
        finally:
            await embedded.close()
    else:
        async with _influx_backend(settings, folder, metrics, reached) as backend:
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
    settings: Settings, folder: DataFolder, metrics: Metrics, reached: Reached
) -> AsyncIterator[Backend]:
    tokens = influx_tokens(settings)
    async with AsyncExitStack() as stack:
        points, size = settings.ship_batch_points, settings.ship_batch_bytes
        spool = Spool(
            folder.path,
            settings.spool_max_bytes,
            points,
            size,
            max_dead_letter_bytes=settings.dead_letters_max_bytes,
            reached=reached,
        )
        stack.push_async_callback(spool.close)
        events, rollup = (
            InfluxQL(_address(settings, bucket, tokens.read), settings.influx_timeout_seconds * _READ_TIMEOUT_FACTOR)
            for bucket in (settings.influx_bucket, settings.influx_rollup_bucket)
        )
        store = InfluxStore(events, rollup)
        series = Registry(_series_limits(settings, settings.max_weeks), spool.series(), learning=not spool.has_learned)
        stack.push_async_callback(store.close)
        event_writer, rollup_writer = [
            await stack.enter_async_context(_point_writer(settings, bucket, tokens.write))
            for bucket in (settings.influx_bucket, settings.influx_rollup_bucket)
        ]
        shipper = Shipper(spool, event_writer, _batching(settings), metrics, reached=reached)
        recount = Recount(events, rollup, rollup_writer, reached)
        keeper = Keeper(spool, recount, Pace(settings.rollup_interval_seconds), reached)
        sink = SpoolSink(spool, points, size, series)
        await stack.enter_async_context(beside(keeper.run()))
        await stack.enter_async_context(beside(shipper.run()))
        salvage = Salvage(spool)
        await stack.enter_async_context(beside(salvage.run()))
        await stack.enter_async_context(beside(Learner(spool, events, series).run()))
        yield Backend(sink, store, series, spool, shipper, keeper, salvage)
        await shipper.drain(settings.grace_seconds / 2)


@asynccontextmanager
async def _archive(settings: Settings, path: Path | None, metrics: Metrics) -> AsyncIterator[Archive | None]:
    if path is None:
        yield None
        return
    retention = Retention(settings.archive_max_age_seconds * 1000, settings.archive_max_bytes)
    archive = Archive(ArchiveFolder(path, settings.data_dir), retention, metrics.archive(), _clock_ms)
    metrics.watch(archive.gauges)
    try:
        async with beside(archive.run()):
            yield archive
    finally:
        await archive.close()


@asynccontextmanager
async def _listening(
    settings: Settings, application: web.Application, doors: Doors, capacity: Capacity, metrics: Metrics
) -> AsyncIterator[str]:
    # aiohttp waits up to its time-out for handlers to finish, and once more for those it then cancels; the other half
    # of the grace time is the shipper's.
    runner = web.AppRunner(application, shutdown_timeout=settings.grace_seconds / 4)
    await runner.setup()
    try:
        crowd = Crowd(cast(web.Server, runner.server), doors, capacity, _refusals())
        metrics.watch(lambda: {"connections": len(crowd)})
        async with listening(crowd, doors) as url:
            yield url
    finally:
        await runner.cleanup()


def _application(
    settings: Settings,
    access: Access,
    backend: Backend,
    archive: Archive | None,
    metrics: Metrics,
    *,
    capacity: Capacity,
    reached: Reached,
) -> web.Application:
    rules = Rules(_limits(settings), _clock_ms, backend.series)
    limits = _body_limits(settings)
    lines = _line_decoder(rules, limits, backend, archive)
    arrivals, turns = Arrivals(), Turns()
    sink = WatchedSink(backend.sink, arrivals)
    write = WriteRoutes(rules, lines, sink, metrics, limits, capacity=capacity, archive=archive, reached=reached)
    live = LiveRoutes(backend.store, arrivals, turns)
    service = ServiceRoutes(metrics, backend.reasons, _warnings(access, backend, archive))
    application = web.Application(middlewares=[errors_as_json])
    application.on_response_prepare.append(set_security_headers)
    guard, limited = access.guard, Rates(settings.max_requests_a_second, metrics).limited
    for routes in (
        guard.for_writing(limited(write.routes())),
        guard.for_reading(limited(ReadRoutes(backend.store, turns).routes())),
        guard.for_reading(limited(live.routes())),
        guard.for_reading(limited(SeriesRoutes(backend.store, _clock_ms, turns).routes())),
        guard.for_reading(service.metrics_routes()),
        guard.for_reading(WebRoutes().routes()),
        guard.for_all(service.routes()),
        guard.for_all(OpenApiRoutes().routes()),
    ):
        application.add_routes(routes)
    application.on_shutdown.append(live.close)
    return application


def _line_decoder(rules: Rules, limits: BodyLimits, backend: Backend, archive: Archive | None) -> LineDecoder:
    keeps_others = backend.sink.keeps_other_measurements
    return LineDecoder(rules, time.time_ns, keeps_others, limits.items, keeps_texts=archive is not None)


def _warnings(access: Access, backend: Backend, archive: Archive | None) -> Callable[[], list[str]]:
    return lambda: [*backend.warnings(), *(archive.warnings() if archive else ()), *access.warnings()]


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _limits(settings: Settings) -> Limits:
    return Limits(
        min_timestamp_ms=settings.min_timestamp_ms,
        max_future_ms=settings.max_future_seconds * 1000,
        retention_ms=settings.retention_seconds * 1000,
        max_valor_bytes=settings.max_valor_bytes,
    )


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        max_bytes=settings.max_body_bytes,
        max_inflated_bytes=settings.max_inflated_bytes,
        timeout_seconds=settings.body_timeout_seconds,
        items=ItemLimits(settings.max_events, settings.max_line_bytes),
        messages_a_minute=settings.max_refused_messages_a_minute,
    )


def _series_limits(settings: Settings, weeks: int) -> SeriesLimits:
    return SeriesLimits(settings.max_series, settings.max_new_series_a_minute, weeks)


def _bounds(settings: Settings) -> Bounds:
    return Bounds(settings.max_connections, settings.max_pending_bytes, settings.max_lag_seconds)


def _refusals() -> Refusals:
    return Refusals({path: code_at(path, Overloaded()) for path in WRITE_PATHS})


def _doors(settings: Settings, certificates: Certificates | None) -> Doors:
    patience = Patience(
        head_seconds=settings.head_timeout_seconds,
        idle_seconds=settings.idle_timeout_seconds,
        answer_seconds=settings.answer_timeout_seconds,
    )
    tls = certificates.context if certificates else None
    return Doors(settings.host, settings.port, room_for(settings.max_connections), patience, tls)


def _batching(settings: Settings) -> Batching:
    return Batching(
        max_points=settings.ship_batch_points,
        max_bytes=settings.ship_batch_bytes,
        linger_seconds=settings.ship_linger_seconds,
        writes_in_flight=settings.ship_writes_in_flight,
    )


def _address(settings: Settings, bucket: str, token: str) -> InfluxAddress:
    return InfluxAddress(settings.influx_url, settings.influx_org, bucket, token)


def _point_writer(settings: Settings, bucket: str, token: str) -> PointWriter:
    return PointWriter(
        _address(settings, bucket, token),
        # One more for the inquiry after what was refused.
        connections=settings.ship_writes_in_flight + 1,
        timeout_seconds=settings.influx_timeout_seconds,
        gzip=settings.influx_gzip,
    )

"""A spool in front of InfluxDB, and all that works on it beside the requests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ingest.backend import Intake
from ingest.background import beside
from ingest.config import influx_tokens
from ingest.fail_points import Reached
from ingest.influxql import InfluxQL
from ingest.metrics import Metrics
from ingest.point_writer import InfluxAddress, PointWriter
from ingest.salvage.salvage import Salvage
from ingest.series.learn import Learner
from ingest.series.registry import Registry
from ingest.settings import Settings
from ingest.shipper import Shipper
from ingest.sink import SpoolSink
from ingest.spool.spool import Spool
from ingest.wiring.limits import batching, series_limits

_READ_TIMEOUT_FACTOR = 3
_ROW_POINTS = 5_000
_ROW_BYTES = 1_000_000


@asynccontextmanager
async def shipping(
    settings: Settings, folder: Path, events: InfluxQL, metrics: Metrics, reached: Reached
) -> AsyncIterator[Intake]:
    """All of it, at work until the context ends: first the shipper has half of the grace time.

    ``events`` is the bucket as it is read.
    """
    # Several rows make a batch: a smaller one is less to lose to a bad disk, and less to look into when it is refused.
    points, size = min(settings.ship_batch_points, _ROW_POINTS), min(settings.ship_batch_bytes, _ROW_BYTES)
    async with AsyncExitStack() as stack:
        spool = Spool(
            folder,
            settings.spool_max_bytes,
            points,
            size,
            max_dead_letter_bytes=settings.dead_letters_max_bytes,
            reached=reached,
        )
        stack.push_async_callback(spool.close)
        backlog, limits = spool.backlog, series_limits(settings, settings.max_weeks)
        series = Registry(limits, backlog.series(), learning=not backlog.has_learned)
        writer = await stack.enter_async_context(point_writer(settings, settings.influx_bucket))
        shipper = Shipper(spool, writer, batching(settings), metrics, reached=reached)
        salvage = Salvage(spool)
        await stack.enter_async_context(beside(spool.tend()))
        await stack.enter_async_context(beside(shipper.run()))
        await stack.enter_async_context(beside(salvage.run()))
        await stack.enter_async_context(beside(Learner(backlog, events, series).run()))
        yield Intake(SpoolSink(spool, points, size, series), series, spool, shipper, salvage)
        await shipper.drain(settings.grace_seconds / 2)


def reader(settings: Settings, bucket: str) -> InfluxQL:
    """Asks ``bucket``; to be closed by whoever made it."""
    address = _address(settings, bucket, influx_tokens(settings).read)
    return InfluxQL(address, settings.influx_timeout_seconds * _READ_TIMEOUT_FACTOR)


def point_writer(settings: Settings, bucket: str) -> PointWriter:
    """Writes to ``bucket``."""
    return PointWriter(
        _address(settings, bucket, influx_tokens(settings).write),
        # One more for the inquiry after what was refused.
        connections=settings.ship_writes_in_flight + 1,
        timeout_seconds=settings.influx_timeout_seconds,
        gzip=settings.influx_gzip,
    )


def _address(settings: Settings, bucket: str, token: str) -> InfluxAddress:
    return InfluxAddress(settings.influx_url, settings.influx_org, bucket, token)

"""What settings say of limits, as the parts want to hear it."""

from ingest.access.tls import Certificates
from ingest.capacity import Bounds
from ingest.decode.limits import ItemLimits
from ingest.routes.bodies import BodyLimits
from ingest.rules import Limits
from ingest.series.registry import SeriesLimits
from ingest.server.connection import Patience
from ingest.server.descriptors import room_for
from ingest.server.listening import Doors
from ingest.settings import Settings
from ingest.shipper import Batching


def event_limits(settings: Settings) -> Limits:
    return Limits(
        min_timestamp_ms=settings.min_timestamp_ms,
        max_future_ms=settings.max_future_seconds * 1000,
        retention_ms=settings.retention_seconds * 1000,
        max_valor_bytes=settings.max_valor_bytes,
    )


def body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        max_bytes=settings.max_body_bytes,
        max_inflated_bytes=settings.max_inflated_bytes,
        timeout_seconds=settings.body_timeout_seconds,
        items=ItemLimits(settings.max_events, settings.max_line_bytes),
        messages_a_minute=settings.max_refused_messages_a_minute,
    )


def series_limits(settings: Settings, weeks: int) -> SeriesLimits:
    return SeriesLimits(settings.max_series, settings.max_new_series_a_minute, weeks)


def bounds(settings: Settings) -> Bounds:
    return Bounds(settings.max_connections, settings.max_pending_bytes, settings.max_lag_seconds)


def batching(settings: Settings) -> Batching:
    return Batching(
        max_points=settings.ship_batch_points,
        max_bytes=settings.ship_batch_bytes,
        linger_seconds=settings.ship_linger_seconds,
        writes_in_flight=settings.ship_writes_in_flight,
    )


def doors_of(settings: Settings, certificates: Certificates | None) -> Doors:
    patience = Patience(
        head_seconds=settings.head_timeout_seconds,
        idle_seconds=settings.idle_timeout_seconds,
        answer_seconds=settings.answer_timeout_seconds,
    )
    tls = certificates.context if certificates else None
    return Doors(
        settings.host,
        settings.port,
        room_for(settings.max_connections),
        patience,
        tls,
        is_shared=settings.workers > 1,
    )

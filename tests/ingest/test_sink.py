from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.event import Event
from ingest.events import Events
from ingest.line_protocol import LineEncoder
from ingest.series.registry import Registry, SeriesLimits
from ingest.sink import SpoolSink
from ingest.spool.spool import Spool

EVENTS = st.lists(st.builds(Event, st.integers(0, 10**12), st.just("a.b.c"), st.text(max_size=200)), max_size=40)
LINES = st.lists(st.integers(0, 999).map(lambda number: b"m v=%d 1\n" % number), max_size=40)


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, 10**8)
    yield spool
    await spool.close()


@given(EVENTS, LINES, st.integers(1, 20), st.integers(50, 1000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_blobs_hold_every_line_in_order_within_their_limits(
    spool: Spool, events: list[Event], lines: list[bytes], points: int, size: int
) -> None:
    blobs = SpoolSink(spool, points, size, Registry(SeriesLimits()))._blobs(Events.of(events), lines)
    assert b"".join(blob.lines for blob in blobs) == LineEncoder().encode(Events.of(events)) + b"".join(lines)
    assert sum(blob.points for blob in blobs) == len(events) + len(lines)
    assert all(blob.points <= points and (len(blob.lines) <= size or blob.points == 1) for blob in blobs)


@pytest.mark.parametrize("number", [1, 5_000])
async def test_few_and_many_events_reach_the_spool(spool: Spool, number: int) -> None:
    await SpoolSink(spool, 1000, 10**6, Registry(SeriesLimits())).append(
        Events.of([Event(i, "a.b.c", str(i)) for i in range(number)]), []
    )
    assert spool.depth.points == number

"""What ``/ready`` warns of: events that are kept, and wait for longer than they should."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from ingest.backend import Backend, Intake
from ingest.metrics import Metrics
from ingest.series.registry import Registry, SeriesLimits
from ingest.spool import rows as spool_rows
from ingest.spool.file import FILE_NAME
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from ingest.sqlite import connect
from ingest.store.embedded import EmbeddedStore


@pytest.mark.parametrize(("age_seconds", "warned"), [(1, False), (60, True)])
async def test_events_that_wait_for_influxdb_for_long_are_warned_of(
    tmp_path: Path, age_seconds: int, warned: bool
) -> None:
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(spool_rows.SCHEMA)
        arrived_ms = time.time_ns() // 1_000_000 - age_seconds * 1000
        spool_rows.insert(connection, Row(0, arrived_ms, 7, b"m v=1 1\n" * 7))
    spool, store = Spool(tmp_path, 10**8), EmbeddedStore(tmp_path, Metrics())
    backend = Backend(Intake(store, Registry(SeriesLimits()), spool), store)
    assert ["7 events wait for InfluxDB" in warning for warning in backend.warnings()] == [True] * warned
    assert (backend.gauges()["spool_oldest_age_seconds"] > 15) is warned
    await spool.close()
    await store.close()

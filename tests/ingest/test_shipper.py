"""The shipper against the real InfluxDB, behind a proxy that breaks its writes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.outcome import Answer
from ingest.shipper import Backoff
from ingest.spool import rows as spool_rows
from ingest.spool.changes import Blob
from ingest.spool.file import FILE_NAME
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from ingest.sqlite import connect
from tests.ingest.influx_proxy import PassAndForget, Say
from tests.ingest.shipping import Shipping, shipping_to
from tools.influx_server import InfluxServer, call, make_bucket


@pytest.fixture
async def shipping(tmp_path: Path, influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Shipping]:
    async with shipping_to(influx_server, influx_bucket, tmp_path) as running:
        yield running


async def test_points_arrive_and_leave_the_spool(shipping: Shipping) -> None:
    for number in range(250):
        await shipping.put(f"m v={number} {number}")
    await shipping.settled()
    assert shipping.stored() == list(range(250))
    await shipping.shows("ingest_events_stored_total 250.0")


@pytest.mark.parametrize(
    "step",
    [
        Say(429),
        Say(500),
        Say(503),
        Say(503, headers={"Retry-After": "0"}),
        Say(0),
        Say(401),
        Say(403),
        Say(404),
        Say(302),
        Say(200),
        PassAndForget(),
    ],
    ids=str,
)
async def test_what_is_not_stored_is_sent_again_until_it_is(shipping: Shipping, step: Say | PassAndForget) -> None:
    shipping.proxy.script.extend([step] * 3)
    await shipping.put("m v=1 1", "m v=2 2")
    await shipping.settled()
    assert shipping.stored() == [1, 2]
    assert shipping.proxy.writes == 4
    assert shipping.dead() == []
    assert shipping.shipper.trouble is None


async def test_an_answer_that_takes_too_long_is_a_retry(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with shipping_to(influx_server, influx_bucket, tmp_path, timeout_seconds=0.2) as shipping:
        shipping.proxy.script.append(Say(204, delay_seconds=1.0))
        await shipping.put("m v=1 1")
        await shipping.settled()
        assert shipping.stored() == [1]


async def test_retry_after_is_honoured(shipping: Shipping) -> None:
    shipping.proxy.script.append(Say(429, headers={"Retry-After": "1"}))
    started = time.monotonic()
    await shipping.put("m v=1 1")
    await shipping.settled()
    assert time.monotonic() - started >= 1.0


async def test_while_influxdb_is_away_points_wait_and_the_trouble_is_told(shipping: Shipping) -> None:
    shipping.proxy.away = True
    await shipping.put("m v=1 1")
    async with asyncio.timeout(10):
        while shipping.shipper.trouble is None:
            await asyncio.sleep(0.005)
    assert "does not take points" in shipping.shipper.trouble
    for number in range(2, 500):
        await shipping.put(f"m v={number} {number}")
    assert shipping.spool.depth.points == 499
    shipping.proxy.away = False
    await shipping.settled()
    assert shipping.stored() == list(range(1, 500))
    assert shipping.shipper.trouble is None


async def test_one_bad_line_becomes_a_dead_letter_and_its_neighbours_are_stored(shipping: Shipping) -> None:
    lines = [f"m v={number} {number}" for number in range(1, 20)]
    await shipping.put(*lines[:7], "m v=oops 99", *lines[7:], 'm s="two\nlines" 5')
    await shipping.settled()
    assert shipping.stored() == list(range(1, 20))
    ((line, reason),) = shipping.dead()
    assert line == b"m v=oops 99\n"
    assert "invalid boolean" in reason
    await shipping.shows("ingest_events_dead_total 1.0")
    await shipping.shows("ingest_events_stored_total 20.0")


async def test_a_field_of_another_type_dies_with_influxdbs_own_reason(shipping: Shipping) -> None:
    await shipping.put("m v=1 1")
    await shipping.settled()
    await shipping.put("m v=2 2", 'm v="text" 3', "m v=4 4")
    await shipping.settled()
    assert shipping.stored() == [1, 2, 4]
    ((line, reason),) = shipping.dead()
    assert line == b'm v="text" 3\n'
    assert "field type conflict" in reason


async def test_points_beyond_the_retention_die_with_a_reason(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    bucket = f"{influx_bucket}-short"
    make_bucket(influx_server, bucket, retention_seconds=3600)
    async with shipping_to(influx_server, bucket, tmp_path) as shipping:
        await shipping.put("m v=1 1", f"m v=2 {time.time_ns()}")
        await shipping.settled()
        assert shipping.stored() == [2]
        assert [line for line, _ in shipping.dead()] == [b"m v=1 1\n"]


async def test_a_batch_too_large_for_influxdb_is_halved(shipping: Shipping) -> None:
    shipping.proxy.script.extend([Say(413)])
    await shipping.put("m v=1 1", "m v=2 2", "m v=3 3")
    await shipping.settled()
    assert shipping.stored() == [1, 2, 3]
    assert shipping.dead() == []


async def test_what_a_422_has_stored_is_there_once_and_what_it_dropped_is_dead(shipping: Shipping) -> None:
    refusal = '{"code":"unprocessable entity","message":"partial write: refused here dropped=1"}'
    shipping.proxy.rule = lambda _, body: (
        Say(422, refusal, stores=body.replace(b"m v=9 9\n", b"")) if b"m v=9 9\n" in body else None
    )
    await shipping.put(*(f"m v={number} {number}" for number in range(20)))
    async with asyncio.timeout(20):
        while len(shipping.stored()) < 19:
            await asyncio.sleep(0.005)
    await shipping.settled()
    assert shipping.stored() == [number for number in range(20) if number != 9]
    assert [line for line, _ in shipping.dead()] == [b"m v=9 9\n"]


async def test_a_spool_that_cannot_be_read_is_told_until_it_can(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    async with shipping_to(influx_server, influx_bucket, folder) as shipping:
        shipping.spool.backlog._file.writer.execute("UPDATE totals SET points = points + 1")
        folder.rename(away)
        async with asyncio.timeout(20):
            while "cannot be" not in (shipping.shipper.trouble or ""):
                await asyncio.sleep(0.01)
            away.rename(folder)
            while shipping.shipper.trouble:
                await asyncio.sleep(0.01)
        await shipping.put("m v=1 1")
        await shipping.settled()
        assert shipping.stored() == [1]


async def test_gzip_arrives_too(tmp_path: Path, influx_server: InfluxServer, influx_bucket: str) -> None:
    async with shipping_to(influx_server, influx_bucket, tmp_path, gzip=True) as shipping:
        await shipping.put("m v=1 1")
        await shipping.settled()
        assert shipping.stored() == [1]


async def test_the_backlog_of_yesterday_is_shipped_first_come_first_served(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    yesterday = Spool(tmp_path, 10**8)
    await yesterday.append([Blob(b"m v=1 1\nm v=2 2\n", 2)])
    await yesterday.close()
    async with shipping_to(influx_server, influx_bucket, tmp_path) as shipping:
        await shipping.settled()
        assert shipping.stored() == [1, 2]


async def test_a_fresh_event_does_not_wait_for_the_backlog(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    rows, points = 600, 100
    earlier = Spool(tmp_path, 10**8, row_points=points)
    for row in range(rows):
        lines = "".join(f"old v={number} {number}\n" for number in range(row * points, (row + 1) * points))
        await earlier.append([Blob(lines.encode(), points)])
    await earlier.close()
    async with shipping_to(influx_server, influx_bucket, tmp_path) as shipping:
        for number in range(5):
            await shipping.put(f"m v={number} {number + 1}")
            async with asyncio.timeout(20):
                while number not in await asyncio.to_thread(shipping.stored):
                    await asyncio.sleep(0.005)
        waiting = shipping.spool.depth.points
        assert waiting > rows * points / 2, f"{waiting} points waited when five fresh ones were stored"
        await shipping.settled()
        query = {"db": influx_bucket, "q": "SELECT count(v) FROM old"}
        (result,) = call(influx_server, "GET", "/query", parameters=query)["results"]
        assert result["series"][0]["values"][0][1] == rows * points


async def test_a_clock_that_was_set_back_holds_nothing_up(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    earlier = Spool(tmp_path, 10**8)
    in_an_hour_ms = time.time_ns() // 1_000_000 + 3_600_000
    spool_rows.insert(earlier.backlog._file.writer, Row(0, in_an_hour_ms, 1, b"m v=1 1\n"))
    await earlier.close()
    async with shipping_to(influx_server, influx_bucket, tmp_path, linger_seconds=0.2) as shipping:
        await shipping.settled()
        assert shipping.stored() == [1]


async def test_draining_ships_what_lingers_and_gives_up_at_once_while_influxdb_is_away(shipping: Shipping) -> None:
    await shipping.put("m v=1 1")
    await shipping.shipper.drain(10.0)
    assert shipping.stored() == [1]
    shipping.proxy.away = True
    await shipping.put("m v=2 2")
    started = time.monotonic()
    await shipping.shipper.drain(10.0)
    assert time.monotonic() - started < 5.0
    assert shipping.spool.depth.points == 1


def test_the_wait_grows_to_a_limit_and_is_never_shorter_than_influxdb_asks() -> None:
    backoff = Backoff(first_seconds=1.0, longest_seconds=8.0, blocked_seconds=20.0)
    for attempt, longest in enumerate([1.0, 2.0, 4.0, 8.0, 8.0]):
        assert longest / 2 <= backoff.delay_seconds(attempt, Answer(503)) <= longest
    assert backoff.delay_seconds(0, Answer(503, retry_after_seconds=60.0)) == 60.0
    assert 10.0 <= backoff.delay_seconds(0, Answer(401)) <= 20.0
    assert backoff.delay_seconds(10**6, Answer(None)) <= 8.0


def journalled(number: int) -> Blob:
    return Blob(b"m v=%d %d\n" % (number, number), 1, are_events=True, marks=frozenset())


async def test_a_refused_batch_of_the_journal_waits_for_a_backlog_that_takes_nothing_yet(shipping: Shipping) -> None:
    """It is nobody else's meanwhile: taken twice, it would be forgotten twice, and others with it."""
    shipping.proxy.script.append(Say(422))
    shipping.spool.backlog._file.writer.execute("PRAGMA busy_timeout=10")
    with closing(connect(shipping.folder / FILE_NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        await shipping.spool.append([journalled(1)])
        while shipping.proxy.writes < 1:
            await asyncio.sleep(0.01)
        for number in range(2, 5):
            await shipping.spool.append(
                [Blob(b"m v=%d %d\n" % (number, number), 1, are_events=True, marks=frozenset())]
            )
        await asyncio.sleep(0.3)
        other.execute("ROLLBACK")
    await shipping.settled()
    assert shipping.stored() == [1, 2, 3, 4]

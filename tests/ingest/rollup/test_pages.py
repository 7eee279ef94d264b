"""Pages of a real InfluxDB: together they are what one query for all gives, whatever happens between two of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from ingest.event import Event
from ingest.minutes import HOUR_MS, MINUTE_MS, Mark
from ingest.rollup.levels import LEVELS, REGION_MINUTES, SENSOR_HOURS, SENSOR_MINUTES, Level, RollupPoint
from ingest.rollup.pages import Names, names
from ingest.rollup.recount import Recount
from ingest.rollup.spans import Span
from ingest.rollup.throttle import Throttle
from tests.ingest.oracle import by_sensor, in_order, tallied
from tests.ingest.rolled_up import Place, rolled_up
from tests.ingest.rollup.test_recount import assert_exact
from tools.influx_server import InfluxServer, call, make_bucket

HOUR = 1_539_108_000_000
MINUTE = Span(HOUR, HOUR + MINUTE_MS, "")


@pytest.fixture
async def place(influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Place]:
    async with rolled_up(influx_server, influx_bucket) as place:
        yield place


class Fixed(Throttle):
    """Pages of ``size`` names, whatever they take; after the second one, while it rests, ``between`` happens."""

    def __init__(self, size: int, between: Callable[[], Awaitable[object]] | None = None) -> None:
        super().__init__()
        self._size = size
        self._between = between
        self.pages = 0

    def most(self, work: str, pieces: int = 1) -> int:
        return self._size

    def learn(self, work: str, pieces: int, took_seconds: float) -> None:
        self.pages += 1

    async def rest(self, took_seconds: float) -> None:
        if self._between is not None and self.pages == 2:
            between, self._between = self._between, None
            await between()


async def counted(place: Place, level: Level, spans: Sequence[Span], throttle: Throttle) -> list[RollupPoint]:
    recount = Recount(place.events, place.rollup, place.rollup_writer, throttle=throttle)
    return in_order(await recount.count(level, spans))


async def at_once(place: Place, level: Level, spans: Sequence[Span]) -> list[RollupPoint]:
    throttle = Fixed(10**6)
    found = await counted(place, level, spans, throttle)
    assert throttle.pages == len(spans)
    return found


def of_sensors(numbers: Sequence[int], start_ms: int = HOUR, region: str = "") -> list[Event]:
    valores = ("1.5", "on", "")
    return [
        Event(start_ms + i, f"a.{region or f'r{i % 7}'}.s{i}", valores[j]) for i in numbers for j in range(i % 3 + 1)
    ]


@pytest.mark.parametrize("size", [2, 3, 16, 39])
async def test_pages_are_exact_on_every_level_also_where_sensors_are_silent(place: Place, size: int) -> None:
    silent = of_sensors(range(100, 120), HOUR + 5 * MINUTE_MS)
    sent = of_sensors(range(40))
    await place.put(silent)
    await place.store(sent)
    throttle = Fixed(size)
    recount = Recount(place.events, place.rollup, place.rollup_writer, throttle=throttle)
    await recount.run([Mark(HOUR, "")])
    assert throttle.pages >= 60 // size
    await assert_exact(place, [*sent, *silent])


async def test_sensors_that_appear_between_two_pages_cost_no_other_its_count(place: Place) -> None:
    sent = of_sensors(range(100, 140), region="r")
    await place.store(sent)
    new = [Event(HOUR, f"a.r.s0{i}", "1") for i in range(20)]
    throttle = Fixed(5, lambda: place.store(new))
    found = await counted(place, SENSOR_MINUTES, [MINUTE], throttle)
    assert throttle.pages == 8
    assert found == tallied(sent, MINUTE_MS, by_sensor), "each of those that were there before, once"


async def test_sensors_that_are_deleted_between_two_pages_cost_no_other_its_count(
    place: Place, influx_server: InfluxServer, influx_bucket: str
) -> None:
    sent = of_sensors(range(100, 140), region="r")
    await place.store(sent)
    body = {"start": "2018-10-09T18:00:00Z", "stop": "2018-10-10T00:00:00Z", "predicate": 'sensor="s100"'}
    parameters = {"org": influx_server.org, "bucket": influx_bucket}

    async def deleted() -> None:
        await asyncio.to_thread(call, influx_server, "POST", "/api/v2/delete", body, parameters)

    found = await counted(place, SENSOR_MINUTES, [MINUTE], Fixed(5, deleted))
    assert await at_once(place, SENSOR_MINUTES, [MINUTE]) != found, "it was not deleted"
    assert found == tallied(sent, MINUTE_MS, by_sensor)


def sharded_bucket(server: InfluxServer, name: str, shard_seconds: int) -> None:
    """A bucket that begins another shard after so long."""
    bucket_id = make_bucket(server, name)
    rules = [{"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": shard_seconds}]
    bucket = call(server, "PATCH", f"/api/v2/buckets/{bucket_id}", {"retentionRules": rules})
    assert bucket["retentionRules"][0]["shardGroupDurationSeconds"] == shard_seconds, bucket


@pytest.mark.parametrize("shard_seconds", [3600, 5400], ids=["shards of an hour", "a shard begins within an hour"])
async def test_pages_are_exact_where_a_span_lies_in_shards_of_different_sensors(
    influx_server: InfluxServer, shard_seconds: int
) -> None:
    bucket = f"shards-{shard_seconds}"
    for name in (bucket, f"{bucket}-rollup"):
        sharded_bucket(influx_server, name, shard_seconds)
    minutes = range(-50, 100, 10)
    sent = [
        event
        for minute in minutes
        for event in of_sensors(range(minute + 50, minute + 90, 3), HOUR + minute * MINUTE_MS)
    ]
    async with rolled_up(influx_server, bucket) as place:
        await place.put(sent)
        await assert_exact(place, sent)
        across = Span(HOUR - 30 * MINUTE_MS, HOUR + 30 * MINUTE_MS, "")
        hours = [Span(HOUR + number * HOUR_MS, HOUR + (number + 1) * HOUR_MS, "") for number in (-1, 0, 1)]
        for level in LEVELS:
            spans = [across] if level.window_ms == MINUTE_MS else hours
            throttle = Fixed(2)
            assert await counted(place, level, spans, throttle) == await at_once(place, level, spans)
            assert throttle.pages > len(spans)


@pytest.mark.parametrize(
    "foreign",
    [
        b"events,country=a,region=r,sensor=it's\\ b\\\\c,status=erro value=1",
        b'events,country=a,region=r,sensor=\\,\\=/[.*]" value=1',
        b"events,country=a,region=r,sensor=\x00 value=1",
        b"events,country=a,region=r,sensor=x\x01\x7f value=1",
        b"events,country=a,region=r,sensor=x\r value=1",
        "events,country=a,region=r,sensor=x\ufffd value=1".encode(),
        "events,country=a,region=r,sensor=câmara🌡 value=1".encode(),
        b"events,country=a,region=r value=1",
        b"events value=1",
        b'events,country=a,region=r,sensor=x,status=erro value=1,sensor="y",region=3',
    ],
    ids=repr,
)
async def test_points_that_ingest_would_not_have_written_are_in_one_page_too(place: Place, foreign: bytes) -> None:
    sent = of_sensors(range(40))
    await place.store(sent)
    answer = await place.writer.write(foreign + f" {HOUR + 5}000000\n".encode())
    assert answer.status == 204, answer
    throttle = Fixed(4)
    found = await counted(place, SENSOR_MINUTES, [MINUTE], throttle)
    assert throttle.pages >= 10
    assert found == await at_once(place, SENSOR_MINUTES, [MINUTE])
    assert len(found) == len(tallied(sent, MINUTE_MS, by_sensor)) + 1


async def test_a_name_that_is_no_text_holds_up_no_minute_that_it_is_not_in(place: Place) -> None:
    sent = of_sensors(range(40))
    await place.store(sent)
    answer = await place.writer.write(
        f" {HOUR + 9 * MINUTE_MS}000000\n".encode().join([b"events,sensor=\xff v=1", b""])
    )
    assert answer.status == 204, answer
    assert await counted(place, SENSOR_MINUTES, [MINUTE], Fixed(4)) == tallied(sent, MINUTE_MS, by_sensor)


async def test_pages_are_by_the_tag_that_tells_most_apart(place: Place) -> None:
    await place.put([Event(HOUR, f"a.r{i}.s{i % 3}", "1") for i in range(30)])
    found = await names(place.events, SENSOR_MINUTES, MINUTE)
    assert (found.tag, len(found.values)) == ("region", 30)
    assert (await names(place.rollup, REGION_MINUTES, MINUTE)).tag == "region"
    assert await names(place.rollup, SENSOR_HOURS, Span(0, HOUR_MS, "")) == Names()


def test_a_million_sensors_are_two_hundred_pages_and_a_thousand_twenty_at_most() -> None:
    a_million, a_thousand = Names("sensor", ["s"] * 1_000_000), Names("sensor", ["s"] * 1_000)
    assert a_million.at_once(40) == 5_000
    assert a_thousand.at_once(1) == 50
    assert Names("region", ["r"] * 5).at_once(1) == 1
    assert a_thousand.at_once(140) == 140
    assert a_thousand.at_once(10**9) == 5_000, "no query is endless"

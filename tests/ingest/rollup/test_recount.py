"""The rollup on a real InfluxDB against a full scan of the same events in plain Python."""

import random
from collections.abc import AsyncIterator

import pytest

from ingest.errors import StoreUnavailable
from ingest.event import Event
from ingest.minutes import HOUR_MS, MINUTE_MS, Mark
from ingest.rollup.levels import LEVELS, REGION_MINUTES, SENSOR_MINUTES, Level, RollupPoint, Tally
from ingest.rollup.spans import Span
from tests.ingest.oracle import by_region, by_sensor, in_order, tallied
from tests.ingest.rolled_up import Place, rolled_up
from tools.influx_server import InfluxServer, make_bucket

HOUR = 1_539_108_000_000
YEAR_MS = 365 * 24 * HOUR_MS


@pytest.fixture
async def place(influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Place]:
    async with rolled_up(influx_server, influx_bucket) as place:
        yield place


def events(number: int, start_ms: int = HOUR, sensors: int = 5) -> list[Event]:
    valores = ("23.5", "-1", "on", "", "1e3", "23,5")
    return [
        Event(start_ms + 7_001 * i, f"brasil.{('sul', 'norte')[i % 2]}.s{i % sensors}", valores[i % len(valores)])
        for i in range(number)
    ]


async def kept(place: Place, level: Level) -> list[RollupPoint]:
    """All that the rollup holds on ``level``."""
    text = f"SELECT n, numbers, sum, min, max FROM {level.measurement} GROUP BY {', '.join(level.tags)}"
    return in_order(
        RollupPoint(
            time_ns // 10**6,
            tuple(series.tags[name] for name in level.tags),
            Tally(n, numbers or 0, total or 0.0, *ends),
        )
        for series in await place.rollup.query(text)
        for time_ns, n, numbers, total, *ends in series.values
    )


async def assert_exact(place: Place, sent: list[Event]) -> None:
    for level in LEVELS:
        expected = tallied(sent, level.window_ms, by_sensor if "sensor" in level.tags else by_region)
        assert await kept(place, level) == expected, level.measurement


async def test_every_level_is_exact_after_out_of_order_duplicate_and_year_old_events(place: Place) -> None:
    sent = [*events(900), *events(40, HOUR - YEAR_MS), *events(60, HOUR + 3 * HOUR_MS)]
    shuffled = [*sent, *sent[::3]]
    random.Random(4).shuffle(shuffled)
    for position in range(0, len(shuffled), 100):
        await place.put(shuffled[position : position + 100])
    await assert_exact(place, sent)


async def test_a_minute_of_many_sensors(place: Place) -> None:
    sent = events(300, sensors=50)
    await place.put(sent)
    await assert_exact(place, sent)


async def test_a_late_event_changes_its_own_minute_hour_and_region_and_nothing_else(place: Place) -> None:
    sent = events(200, sensors=40)
    await place.put(sent)
    before = {level.measurement: await kept(place, level) for level in LEVELS}
    late = Event(HOUR + 1, "brasil.sul.s1", "999")
    await place.put([late])
    await assert_exact(place, [*sent, late])
    for level in LEVELS:
        changed = set(await kept(place, level)) ^ set(before[level.measurement])
        assert {(point.start_ms, point.tags[1]) for point in changed} == {(HOUR, "sul")}


async def test_counting_again_changes_nothing(place: Place) -> None:
    sent = events(50)
    await place.put(sent)
    for level in LEVELS:
        await place.recount.write(level, await place.recount.count(level, [Span(HOUR, HOUR + HOUR_MS, "")]))
    await assert_exact(place, sent)


async def test_sums_that_would_overflow_are_left_out_and_break_no_query(place: Place) -> None:
    huge = [Event(HOUR + i, "a.b.c", f"{sign}1.7e308") for i, sign in enumerate(["", "", "-", "-"])]
    await place.put([Event(HOUR, "a.b.d", "1"), *huge])
    (point,) = (point for point in await kept(place, SENSOR_MINUTES) if point.tags[2] == "c")
    assert point.tally == Tally(4, 0, 0.0, -1.7e308, 1.7e308)
    (region,) = await kept(place, REGION_MINUTES)
    assert region.tally == Tally(5, 1, 1.0, -1.7e308, 1.7e308)


async def test_a_sum_that_came_to_overflow_takes_the_earlier_one_with_it(place: Place) -> None:
    await place.put([Event(HOUR, "a.b.c", "5")])
    await place.put([Event(HOUR + i, "a.b.c", "1.7e308") for i in range(2)])
    (point,) = await kept(place, SENSOR_MINUTES)
    assert (point.tally.n, point.tally.numbers, point.tally.sum) == (3, 0, 0.0)


async def test_unicode_tags(place: Place) -> None:
    sent = [Event(HOUR, "brasil.são-paulo.câmara_1", "1"), Event(HOUR, "日本.関東.温度", "")]
    await place.put(sent)
    await assert_exact(place, sent)


@pytest.mark.parametrize(
    "foreign",
    [
        "events,country=brasil,region=sul,sensor=odd value=1",
        "events,country=brasil,region=sul,sensor=a\\ b,status=processado value=1",
        'events,country=x\\,y\\=z,region=sul,sensor=c,status=erro text=""',
        "events value=1",
    ],
)
async def test_a_point_that_ingest_would_not_have_written_costs_no_other_its_count(place: Place, foreign: str) -> None:
    sent = events(40, sensors=20)
    await place.store(sent)
    answer = await place.writer.write(f"{foreign} {HOUR + 5}000000\n".encode())
    assert answer.status == 204, answer
    await place.recount.run([Mark(event.timestamp_ms // MINUTE_MS * MINUTE_MS, "") for event in sent])
    found = await kept(place, SENSOR_MINUTES)
    expected = tallied(sent, MINUTE_MS, by_sensor)
    assert [point for point in found if point in expected] == expected
    assert len(found) == len(expected) + 1


async def test_a_rollup_bucket_that_is_missing_is_told(influx_server: InfluxServer, influx_bucket: str) -> None:
    make_bucket(influx_server, f"{influx_bucket}-alone")
    async with rolled_up(influx_server, f"{influx_bucket}-alone") as place:
        with pytest.raises(StoreUnavailable, match="does not take the rollup"):
            await place.put(events(3))


async def test_what_the_rollups_retention_refuses_holds_nothing_up(influx_server: InfluxServer) -> None:
    bucket = f"short-{id(influx_server)}"
    make_bucket(influx_server, bucket)
    make_bucket(influx_server, f"{bucket}-rollup", retention_seconds=3600)
    async with rolled_up(influx_server, bucket) as place:
        await place.put(events(3))
        assert await kept(place, SENSOR_MINUTES) == []

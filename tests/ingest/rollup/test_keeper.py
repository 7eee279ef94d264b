"""The keeper between a real spool and a real InfluxDB."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.background import beside
from ingest.errors import StoreUnavailable, WriteUnanswered
from ingest.event import Event
from ingest.events import Events
from ingest.line_protocol import LineEncoder
from ingest.minutes import HOUR_MS, MINUTE_MS, Mark
from ingest.rollup.keeper import Keeper, Pace, first_minutes
from ingest.rollup.levels import LEVELS, SENSOR_HOURS
from ingest.rollup.recount import Recount
from ingest.spool.changes import Blob
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.lanes import Lane
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from tests.ingest.influx_proxy import PassAndForget, Say, Step, proxied
from tests.ingest.oracle import by_sensor, tallied
from tests.ingest.rolled_up import Place, rolled_up
from tests.ingest.rollup.test_recount import assert_exact, events, kept
from tools.influx_server import InfluxServer, make_bucket

HOUR = 1_539_108_000_000


@pytest.fixture
async def place(influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Place]:
    async with rolled_up(influx_server, influx_bucket) as place:
        yield place


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Spool]:
    spool = Spool(folder, 10**8)
    try:
        yield spool
    finally:
        await spool.close()


async def ship(spool: Spool, place: Place, sent: list[Event]) -> None:
    """What the shipper does: the points go to InfluxDB, then leave the spool."""
    await place.store(sent)
    await spool.append([Blob(LineEncoder().encode(Events.of(sent)), len(sent))])
    await spool.backlog.remove(await everything(spool))


async def everything(spool: Spool) -> list[Row]:
    return await spool.backlog.read(Lane(0), 10**9, 10**9)


async def test_what_left_the_spool_is_counted(tmp_path: Path, place: Place) -> None:
    async with opened(tmp_path) as spool:
        keeper = Keeper(spool, place.recount, Pace(5.0))
        await ship(spool, place, events(300))
        assert spool.depth.dirty_minutes > 0
        assert keeper.lag_seconds > 0
        assert await keeper.once() is False
        assert (spool.depth.dirty_minutes, keeper.lag_seconds) == (0, 0.0)
    await assert_exact(place, events(300))


async def test_dirty_minutes_are_there_after_reopening(tmp_path: Path, place: Place) -> None:
    async with opened(tmp_path) as spool:
        await ship(spool, place, events(300))
    async with opened(tmp_path) as spool:
        await Keeper(spool, place.recount, Pace(5.0)).once()
    await assert_exact(place, events(300))


async def test_a_minute_that_is_touched_while_it_is_counted_is_counted_again(tmp_path: Path, place: Place) -> None:
    async with opened(tmp_path) as spool:
        await ship(spool, place, events(10))
        dirty = await spool.dirty(100)
        await place.recount.run([one.mark for one in dirty])
        late = Event(HOUR + 1, "brasil.sul.s0", "1")
        await ship(spool, place, [late])
        await spool.clean(dirty)
        assert [one.mark for one in await spool.dirty(100)] == [Mark(HOUR, "brasil.sul.s0")]
        await Keeper(spool, place.recount, Pace(5.0)).once()
    await assert_exact(place, [*events(10), late])


async def test_while_it_cannot_count_it_says_so_and_catches_up_later(
    tmp_path: Path, influx_server: InfluxServer
) -> None:
    bucket = f"later-{id(tmp_path)}"
    make_bucket(influx_server, bucket)
    async with rolled_up(influx_server, bucket) as place, opened(tmp_path) as spool:
        keeper = Keeper(spool, place.recount, Pace(0.05))
        await ship(spool, place, events(20))
        task = asyncio.create_task(keeper.run())
        await _until(lambda: keeper.trouble is not None)
        assert "counts are behind" in str(keeper.trouble)
        assert spool.depth.dirty_minutes > 0
        make_bucket(influx_server, f"{bucket}-rollup")
        await _until(lambda: keeper.trouble is None)
        task.cancel()
        await asyncio.wait([task])
        assert spool.depth.dirty_minutes == 0
        await assert_exact(place, events(20))


async def test_the_newest_minutes_are_counted_first_and_the_past_in_what_time_is_left(
    tmp_path: Path, place: Place
) -> None:
    sent = [Event(HOUR + minute * MINUTE_MS, f"a.b.s{i}", "1") for minute in range(6) for i in range(20)]
    async with opened(tmp_path) as spool:
        keeper = Keeper(spool, place.recount, Pace(5.0, past_seconds=0.0))
        await ship(spool, place, sent)
        assert await keeper.once() is True
        newest = [event for event in sent if event.timestamp_ms >= HOUR + 4 * MINUTE_MS]
        assert await kept(place, LEVELS[0]) == tallied(newest, MINUTE_MS, by_sensor)
        while await keeper.once():
            pass
    await assert_exact(place, sent)


async def test_while_much_is_on_its_way_the_past_waits(tmp_path: Path, place: Place) -> None:
    sent = [Event(HOUR + minute * MINUTE_MS, f"a.b.s{i}", "1") for minute in range(6) for i in range(20)]
    async with opened(tmp_path) as spool:
        keeper = Keeper(spool, place.recount, Pace(5.0))
        await ship(spool, place, sent)
        await spool.append([Blob(b"m v=1 1\n" * 5_000, 5_000)])
        assert await keeper.once() is True
        await spool.backlog.remove(await everything(spool))
        assert await keeper.once() is False
    await assert_exact(place, sent)


class Watched(Recount):
    """One that notes how many marks it was given at a time."""

    def __init__(self, inner: Recount) -> None:
        self._inner = inner
        self.batches: list[int] = []

    async def run(self, minutes: Collection[Mark]) -> None:
        self.batches.append(len(minutes))
        await self._inner.run(minutes)


async def test_of_a_past_that_is_quickly_counted_more_is_counted_at_once(tmp_path: Path, place: Place) -> None:
    sent = [Event(HOUR + minute * MINUTE_MS, f"a.b.s{i}", "1") for minute in range(180) for i in range(17)]
    async with opened(tmp_path) as spool:
        recount = Watched(place.recount)
        keeper = Keeper(spool, recount, Pace(5.0, past_seconds=60.0))
        await ship(spool, place, sent)
        assert await keeper.once() is False
    assert recount.batches[:6] == [2, 2, 4, 8, 16, 32]
    assert max(recount.batches) == 60, "an hour of all at most"
    await assert_exact(place, sent)


async def test_scattered_events_of_last_year_hold_up_nothing(tmp_path: Path, place: Place) -> None:
    chance = random.Random(1)
    scattered = [
        Event(HOUR - chance.randrange(365 * 24 * HOUR_MS), f"a.b.s{chance.randrange(300)}", "1") for _ in range(2_000)
    ]
    fresh = Event(HOUR + MINUTE_MS, "a.b.fresh", "1")
    async with opened(tmp_path) as spool:
        keeper = Keeper(spool, place.recount, Pace(5.0))
        await ship(spool, place, scattered)
        await keeper.once()
        await ship(spool, place, [fresh])
        started = time.monotonic()
        more_waits = await keeper.once()
        assert time.monotonic() - started < 8.0
        assert tallied([fresh], MINUTE_MS, by_sensor)[0] in await kept(place, LEVELS[0])
        while more_waits:
            more_waits = await keeper.once()
    await assert_exact(place, [*scattered, fresh])


@pytest.mark.parametrize("step", [PassAndForget(), Say(500), Say(504)], ids=str)
async def test_a_write_that_was_not_answered_is_counted_again_until_it_can_do_no_harm(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str, step: Step
) -> None:
    async with proxied(influx_server) as proxy, rolled_up(influx_server, influx_bucket, proxy.url) as place:
        async with opened(tmp_path) as spool:
            keeper = Keeper(spool, place.recount, Pace(5.0))
            await ship(spool, place, events(10))
            proxy.script.append(step)
            with pytest.raises(WriteUnanswered):
                await keeper.once()
            await keeper.once()
            assert spool.depth.dirty_minutes > 0
            keeper._unsure_until = time.monotonic()
            await keeper.once()
            assert spool.depth.dirty_minutes == 0
        await assert_exact(place, events(10))


class Until(Recount):
    """One that takes so long that ``moment``, by time.monotonic(), has passed."""

    def __init__(self, inner: Recount, moment: float) -> None:
        self._inner = inner
        self._moment = moment

    async def run(self, minutes: Collection[Mark]) -> None:
        await self._inner.run(minutes)
        await asyncio.sleep(self._moment - time.monotonic())


async def test_what_was_counted_while_a_write_was_unsure_is_counted_again_however_long_it_took(
    tmp_path: Path, place: Place
) -> None:
    async with opened(tmp_path) as spool:
        await ship(spool, place, events(10))
        sure_at = time.monotonic() + 0.3
        keeper = Keeper(spool, Until(place.recount, sure_at + 0.1), Pace(5.0))
        keeper._unsure_until = sure_at
        await keeper.once()
        assert spool.depth.dirty_minutes > 0, "its first pages may have been overwritten"
        await keeper.once()
        assert spool.depth.dirty_minutes == 0


async def test_the_past_has_its_time_however_long_the_newest_minutes_take(tmp_path: Path, place: Place) -> None:
    sent = [Event(HOUR + minute * MINUTE_MS, f"a.b.s{i}", "1") for minute in range(6) for i in range(20)]
    async with opened(tmp_path) as spool:
        await ship(spool, place, sent)
        keeper = Keeper(spool, Until(place.recount, time.monotonic() + 0.5), Pace(5.0, past_seconds=0.4))
        assert await keeper.once() is False
    await assert_exact(place, sent)


async def test_what_another_process_left_marked_may_be_on_its_way_too(tmp_path: Path, place: Place) -> None:
    async with opened(tmp_path) as spool:
        await ship(spool, place, events(10))
        keeper = Keeper(spool, place.recount, Pace(5.0))
        await keeper.once()
        assert spool.depth.dirty_minutes > 0
        keeper._unsure_until = time.monotonic()
        await keeper.once()
        assert spool.depth.dirty_minutes == 0


async def test_what_has_to_be_counted_again_holds_up_nothing(tmp_path: Path, place: Place) -> None:
    sent = [Event(HOUR + minute * MINUTE_MS, f"a.b.s{i}", "1") for minute in range(50) for i in range(17)]
    async with opened(tmp_path) as spool:
        await ship(spool, place, sent)
        recount = Watched(place.recount)
        keeper = Keeper(spool, recount, Pace(5.0, past_seconds=0.0, unsure_seconds=60.0))
        while await keeper.once():
            pass
        assert sum(recount.batches) == spool.depth.dirty_minutes == 50
        await assert_exact(place, sent)
        await keeper.once()
        assert sum(recount.batches) > 50, "while there is nothing else to count, they are"


@pytest.mark.parametrize("status", [429, 503])
async def test_an_influxdb_that_asks_to_wait_is_left_alone(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str, status: int
) -> None:
    async with proxied(influx_server) as proxy, rolled_up(influx_server, influx_bucket, proxy.url) as place:
        async with opened(tmp_path) as spool, beside(Keeper(spool, place.recount, Pace(0.05)).run()):
            proxy.script.append(Say(status, headers={"Retry-After": "1"}))
            await ship(spool, place, events(10))
            await _until(lambda: proxy.writes == 1)
            started = time.monotonic()
            await _until(lambda: proxy.writes > 1)
            assert time.monotonic() - started >= 0.95
            await _until(lambda: spool.depth.dirty_minutes == 0)
        await assert_exact(place, events(10))


async def test_a_query_that_influxdb_refuses_costs_its_mark_alone(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    sent = [Event(HOUR, f"a.b.s{i}", "1") for i in range(10)]
    async with proxied(influx_server) as proxy, rolled_up(influx_server, influx_bucket, proxy.url) as place:
        async with opened(tmp_path) as spool:
            keeper = Keeper(spool, place.recount, Pace(5.0))
            await ship(spool, place, sent)
            proxy.rule = lambda path, body: Say(400) if path.startswith("/query") and b"s4" in body else None
            assert await keeper.once() is False
            assert spool.depth.dirty_minutes == 0
        proxy.rule = None
        hours = await kept(place, SENSOR_HOURS)
        assert hours == tallied([one for one in sent if not one.tag.endswith("s4")], HOUR_MS, by_sensor)


async def test_an_influxdb_that_refuses_every_query_costs_no_mark(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with proxied(influx_server) as proxy, rolled_up(influx_server, influx_bucket, proxy.url) as place:
        async with opened(tmp_path) as spool:
            keeper = Keeper(spool, place.recount, Pace(5.0))
            await ship(spool, place, events(10))
            proxy.rule = lambda path, _: Say(400) if path.startswith("/query") else None
            with pytest.raises(StoreUnavailable):
                await keeper.once()
            assert spool.depth.dirty_minutes > 0
            proxy.rule = None
            await keeper.once()
        await assert_exact(place, events(10))


def test_what_is_counted_at_once_are_whole_minutes_and_at_least_one() -> None:
    of_all = [DirtyMinute(Mark(minute * MINUTE_MS, ""), 1) for minute in range(50, 0, -1)]
    assert first_minutes(of_all, 200) == of_all[:2]
    of_many = [DirtyMinute(Mark(0, f"a.b.s{i}"), 1) for i in range(5000)]
    assert first_minutes(of_many, 200) == of_many
    of_few = [DirtyMinute(Mark(minute * MINUTE_MS, "a.b.c"), 1) for minute in range(3000, 0, -1)]
    assert first_minutes(of_few, 200) == of_few[:200]
    assert first_minutes([], 200) == []


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("took", "are_coming", "goes_on", "rest"),
    [
        (0.3, True, False, 4.7),
        (0.3, False, False, 4.7),
        (6.0, True, False, 0.0),
        (0.3, True, True, 0.0),
        (0.3, False, True, 0.3),
    ],
)
def test_a_round_begins_when_the_interval_is_over_or_when_more_waits(
    took: float, are_coming: bool, goes_on: bool, rest: float
) -> None:
    assert Pace(5.0).rest_seconds(took, are_coming=are_coming, goes_on=goes_on) == pytest.approx(rest)

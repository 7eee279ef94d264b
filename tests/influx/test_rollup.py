"""`python -m influx rollup` on a real InfluxDB."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from influx.__main__ import main
from influx.errors import Refused
from influx.rollup import Hour, Patience, Rebuild, _cut
from ingest.event import Event
from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.rollup.levels import SENSOR_MINUTES, Level, RollupPoint
from ingest.rollup.recount import Recount
from ingest.rollup.spans import Span
from tests.ingest.influx_proxy import proxied
from tests.ingest.oracle import by_sensor, tallied
from tests.ingest.rolled_up import Place, rolled_up
from tests.ingest.rollup.test_recount import assert_exact, events, kept
from tools.influx_server import InfluxServer, call, make_bucket

HOUR = 1_539_108_000_000
FAR_MS = 4_102_444_800_000


@pytest.fixture
async def place(influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Place]:
    async with rolled_up(influx_server, influx_bucket) as place:
        yield place


async def rebuilt(place: Place, start_ms: int = 0, stop_ms: int = FAR_MS) -> list[Hour]:
    return [hour async for hour in Rebuild(place.events, place.rollup, place.recount).run(start_ms, stop_ms)]


async def test_events_that_were_never_counted_are(place: Place) -> None:
    sent = [*events(900), *events(40, HOUR - 5000 * HOUR_MS), *events(300, HOUR + 7 * HOUR_MS, sensors=50)]
    await place.store(sent)
    hours = await rebuilt(place)
    assert [hour.start_ms for hour in hours] == [HOUR + 7 * HOUR_MS, HOUR + HOUR_MS, HOUR, HOUR - 5000 * HOUR_MS]
    assert sum(hour.events for hour in hours) == len(sent)
    await assert_exact(place, sent)
    assert await rebuilt(place) == hours
    await assert_exact(place, sent)


async def test_only_the_hours_of_the_range_are_counted(place: Place) -> None:
    await place.store([*events(10), *events(10, HOUR + 5 * HOUR_MS)])
    assert [hour.start_ms for hour in await rebuilt(place, HOUR + 5 * HOUR_MS)] == [HOUR + 5 * HOUR_MS]
    assert {point.start_ms for point in await kept(place, SENSOR_MINUTES)} == {
        HOUR + 5 * HOUR_MS,
        HOUR + 5 * HOUR_MS + 60_000,
    }


async def test_counts_of_events_that_were_deleted_go(
    place: Place, influx_server: InfluxServer, influx_bucket: str
) -> None:
    sent = events(400)
    await place.put([*sent, Event(HOUR + 3 * HOUR_MS, "brasil.sul.s1", "1")])
    gone = {"start": "2018-10-09T18:00:00Z", "stop": "2018-10-10T00:00:00Z", "predicate": 'sensor="s1"'}
    parameters = {"org": influx_server.org, "bucket": influx_bucket}
    await asyncio.to_thread(call, influx_server, "POST", "/api/v2/delete", gone, parameters)
    await rebuilt(place)
    await assert_exact(place, [event for event in sent if not event.tag.endswith(".s1")])


class Arriving(Recount):
    """After each count of the hour's minutes, up to ``most`` of them, another event of it has arrived."""

    def __init__(self, place: Place, most: int) -> None:
        super().__init__(place.events, place.rollup, place.rollup_writer)
        self._place = place
        self._most = most
        self.arrived: list[Event] = []

    async def count(self, level: Level, within: Sequence[Span]) -> list[RollupPoint]:
        counted = await super().count(level, within)
        is_of_the_hour = any(span.start_ms <= HOUR < span.stop_ms for span in within)
        if level is SENSOR_MINUTES and is_of_the_hour and len(self.arrived) < self._most:
            number = len(self.arrived)
            self.arrived.append(Event(HOUR + number, f"brasil.sul.late{number % 4}", f"{number}"))
            await self._place.store(self.arrived[-1:])
        return counted


async def test_events_that_arrive_meanwhile_are_counted_too(place: Place) -> None:
    """It ends when all is right, and an hour that goes on changing keeps it from no other."""
    stored = [*events(300), *events(40, HOUR - 2 * HOUR_MS)]
    await place.store(stored)
    arriving = Arriving(place, most=20)
    rebuild = Rebuild(place.events, place.rollup, arriving, Patience(between_seconds=0.0))
    assert [hour.start_ms async for hour in rebuild.run(0, FAR_MS)] == [HOUR, HOUR - 2 * HOUR_MS]
    assert len(arriving.arrived) == 20, "it ended while events arrived"
    await assert_exact(place, [*stored, *arriving.arrived])


async def test_it_gives_up_on_what_never_ends_but_not_on_the_rest(place: Place) -> None:
    older = events(40, HOUR - 2 * HOUR_MS)
    await place.store([*events(300), *older])
    rebuild = Rebuild(place.events, place.rollup, Arriving(place, most=10_000), Patience(longest_seconds=0.0))
    with pytest.raises(Refused, match="2018-10-09T18:00"):
        async for _ in rebuild.run(0, FAR_MS):
            pass
    assert [point for point in await kept(place, SENSOR_MINUTES) if point.start_ms < HOUR] == tallied(
        older, MINUTE_MS, by_sensor
    )


async def test_a_count_that_is_right_is_not_written_again(
    place: Place, influx_server: InfluxServer, influx_bucket: str
) -> None:
    sent = events(300)
    await place.put(sent)
    async with proxied(influx_server) as proxy, rolled_up(influx_server, influx_bucket, proxy.url) as watched:
        await rebuilt(watched)
        assert proxy.writes == 0
    await assert_exact(place, sent)


def test_the_command(
    influx_server: InfluxServer,
    influx_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("INFLUX_BUCKET", influx_bucket)
    monkeypatch.setenv("INFLUX_ROLLUP_BUCKET", f"{influx_bucket}-rollup")
    monkeypatch.setenv("INFLUX_TOKENS_DIR", str(tmp_path))
    monkeypatch.delenv("INFLUXDB_TOKEN", raising=False)
    sent = events(100)

    async def store() -> None:
        async with rolled_up(influx_server, influx_bucket) as place:
            await place.store(sent)

    async def check() -> None:
        async with rolled_up(influx_server, influx_bucket) as place:
            await assert_exact(place, sent)

    asyncio.run(store())
    address = ["--url", influx_server.url]
    assert main(["rollup", *address]) == 1
    assert "ingest.token: name its folder with --tokens-dir" in capsys.readouterr().err
    for name in ("ingest", "ingest-read"):
        (tmp_path / f"{name}.token").write_text(influx_server.token)
    assert main(["rollup", *address, "--start", "2018-10-09T18:00Z", "--stop", "2018-10-09T20:00Z"]) == 0
    assert capsys.readouterr().out == "100 events in 1 hour counted\n"
    asyncio.run(check())
    (tmp_path / "wrong").write_text("wrong")
    assert main(["rollup", *address, "--token-file", str(tmp_path / "wrong")]) == 1
    assert "answered 401" in capsys.readouterr().err
    assert main(["rollup", *address, "--bucket", "nowhere"]) == 1
    assert "has no bucket nowhere, or the token may not read it" in capsys.readouterr().err


def test_what_the_retention_has_taken_keeps_its_counts(
    influx_server: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = f"kept-{tmp_path.name}"
    make_bucket(influx_server, bucket, retention_seconds=7 * 24 * 3600)
    make_bucket(influx_server, f"{bucket}-rollup")
    now_ms = time.time_ns() // 1_000_000
    recent, long_ago = Event(now_ms - HOUR_MS, "a.b.c", "1"), Event(now_ms - 60 * 24 * HOUR_MS, "a.b.c", "2")

    async def counted_once() -> None:
        async with rolled_up(influx_server, bucket) as place:
            await place.store([recent])
            await place.recount.write(SENSOR_MINUTES, tallied([long_ago], MINUTE_MS, by_sensor))

    async def check() -> None:
        async with rolled_up(influx_server, bucket) as place:
            assert await kept(place, SENSOR_MINUTES) == tallied([recent, long_ago], MINUTE_MS, by_sensor)

    asyncio.run(counted_once())
    (tmp_path / "token").write_text(influx_server.token)
    where = ["--url", influx_server.url, "--bucket", bucket, "--rollup-bucket", f"{bucket}-rollup"]
    assert main(["rollup", *where, "--token-file", str(tmp_path / "token")]) == 0
    assert capsys.readouterr().out == "1 events in 1 hour counted\n"
    asyncio.run(check())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--start", "yesterday"],
        ["--start", "2019"],
        ["--stop", ""],
        ["--start", "2026-11-02", "--stop", "2026-11-01"],
        ["--url", "influx:8086"],
    ],
)
def test_a_usage_error_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["rollup", *arguments])
    assert raised.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_an_hour_of_very_many_events_is_cut_into_whole_minutes() -> None:
    hour = Span(HOUR, HOUR + HOUR_MS, "")
    assert _cut(hour, 0) == _cut(hour, 4_000_000) == [hour]
    for number in (5_000_000, 36_000_000, 10**12):
        spans = _cut(hour, number)
        assert [span.start_ms for span in spans[1:]] == [span.stop_ms for span in spans[:-1]]
        assert (spans[0].start_ms, spans[-1].stop_ms) == (hour.start_ms, hour.stop_ms)
        assert all((span.stop_ms - span.start_ms) % 60_000 == 0 for span in spans)

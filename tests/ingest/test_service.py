"""The whole way of an event through InfluxDB, and the laws of decoding."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from ingest.__main__ import main
from ingest.decode.json_events import JsonDecoder
from ingest.event import Event
from ingest.rules import Limits, Rules
from tests.ingest.influx_proxy import Say, proxied
from tests.ingest.service import influx_settings, serving
from tests.ingest.strategies import TAGS, TEXTS, VALORES
from tools.influx_server import InfluxServer, call

START_MS = 1_539_112_021_301
LIMITS = Limits(min_timestamp_ms=0, max_future_ms=10**6, retention_ms=0, max_valor_bytes=1000)


def decoder() -> JsonDecoder:
    return JsonDecoder(Rules(LIMITS, clock_ms=lambda: START_MS))


async def counted(client: ClientSession, expected: int) -> str:
    """The counts as text, once they show ``expected`` events."""
    async with asyncio.timeout(20):
        while True:
            async with client.get("/counts") as answer:
                if answer.status == 200 and (await answer.json())["events"] >= expected:
                    break
            await asyncio.sleep(0.05)
    async with client.get("/counts", headers={"Accept": "text/plain"}) as answer:
        return await answer.text()


async def test_the_seed_example_through_influxdb(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    sizes = {"sudeste.sensor01": 700, "sudeste.sensor02": 300, "sul.sensor03": 1250, "sul.sensor04": 250}
    async with serving(influx_settings(tmp_path, influx_server, influx_bucket)) as client:
        for name, size in sizes.items():
            events = [{"timestamp": START_MS + i, "tag": f"brasil.{name}", "valor": str(i)} for i in range(size)]
            for _ in range(2):
                async with client.post("/get_sensor", json=events) as answer:
                    assert (answer.status, (await answer.json())["accepted"]) == (202, size)
        assert (await counted(client, 2500)).splitlines() == [
            "brasil.sudeste - 1000",
            "brasil.sudeste.sensor01 - 700",
            "brasil.sudeste.sensor02 - 300",
            "brasil.sul - 1500",
            "brasil.sul.sensor03 - 1250",
            "brasil.sul.sensor04 - 250",
        ]


async def test_an_event_is_readable_in_influxdb_within_a_second(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with serving(influx_settings(tmp_path, influx_server, influx_bucket)) as client:
        await client.post("/events", json={"timestamp": START_MS, "tag": "a.b.c", "valor": "1"})
        started = time.monotonic()
        await counted(client, 1)
        assert time.monotonic() - started < 1.0


async def test_a_dead_letter_replayed_while_the_service_runs_is_shipped(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with proxied(influx_server) as proxy:
        settings = influx_settings(tmp_path, InfluxServer(proxy.url, influx_server.token), influx_bucket)
        async with serving(settings) as client:
            proxy.script.append(Say(400, '{"code":"invalid","message":"not today"}'))
            await client.post("/events", json={"timestamp": START_MS, "tag": "a.b.c", "valor": "1"})
            async with asyncio.timeout(20):
                while "ingest_dead_letters 1.0" not in await (await client.get("/metrics")).text():
                    await asyncio.sleep(0.05)
            assert await asyncio.to_thread(main, ["dead-letters", "replay", "--data-dir", str(tmp_path)]) == 0
            await counted(client, 1)
            assert "ingest_dead_letters 0.0" in await (await client.get("/metrics")).text()


async def test_a_telegraf_like_client_passes_through(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with serving(influx_settings(tmp_path, influx_server, influx_bucket)) as client:
        url = str(client._base_url).rstrip("/")
        async with InfluxDBClientAsync(url=url, token="any", org="any", enable_gzip=True) as influx:
            assert await influx.write_api().write(
                "any", record=b'cpu,host=a usage=1.5,name="x" 1539112021301000000\nmem free=2i 5'
            )
        settled = time.monotonic() + 20
        rows: list[object] = []
        while len(rows) < 2 and time.monotonic() < settled:
            answer = await asyncio.to_thread(
                call,
                influx_server,
                "GET",
                "/query",
                None,
                {"db": influx_bucket, "q": "SELECT * FROM cpu, mem", "epoch": "ns"},
            )
            rows = [row for series in answer["results"][0].get("series", []) for row in series["values"]]
        assert [row[0] for row in rows] == [1_539_112_021_301_000_000, 5]  # type: ignore[index]


@pytest.mark.parametrize("form", ["array", "ndjson"])
@given(events=st.lists(st.builds(Event, st.integers(0, START_MS), TAGS, VALORES), min_size=1), ascii_only=st.booleans())
def test_law_good_events_come_through_every_form_unchanged(form: str, events: list[Event], ascii_only: bool) -> None:
    texts = [
        json.dumps({"timestamp": e.timestamp_ms, "tag": e.tag, "valor": e.valor}, ensure_ascii=ascii_only)
        for e in events
    ]
    body = ("[" + ",".join(texts) + "]" if form == "array" else "\n".join(texts)).encode()
    decoded = decoder().decode_json(body) if form == "array" else decoder().decode_ndjson(body)
    assert decoded.rejected == []
    assert decoded.events == events


LINES = st.one_of(
    st.builds(
        lambda t, tag, v: json.dumps({"timestamp": t, "tag": tag, "valor": v}).encode(),
        st.integers(0, START_MS),
        TAGS,
        TEXTS,
    ),
    st.sampled_from(
        [
            b"{",
            b"[]",
            b"5",
            b'{"timestamp":1,"tag":"a.b.c"}',
            b'{"timestamp":1,"tag":"a.b.c","tag":"d.e.f"}',
            b'{"timestamp":true,"tag":"a.b.c"}',
            b'\xff{"timestamp":1}',
            b'{"timestamp":1,"tag":"a.b.c","valor":1.50}',
            b'{"timestamp":1,"tag":"a.b.c","valor":"\\ud800"}',
            b'{"x":"\xff","timestamp":1,"tag":"a.b.c"}',
        ]
    ),
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")),
)


@given(st.lists(LINES, max_size=6))
def test_law_a_line_means_the_same_alone_and_among_others(lines: list[bytes]) -> None:
    together = decoder().decode_ndjson(b"\n".join(lines))
    alone = [decoder().decode_ndjson(line) for line in lines if line.strip()]
    expected = [decoded for decoded in alone if decoded.rejected[:1] == [] or decoded.rejected[0].code != "empty_body"]
    assert together.events == [event for decoded in expected for event in decoded.events]
    if together.rejected[:1] != [] and together.rejected[0].index is not None:
        assert [(r.code, r.reason) for r in together.rejected] == [
            (r.code, r.reason) for decoded in expected for r in decoded.rejected
        ]

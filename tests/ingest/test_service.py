"""The whole way of an event through InfluxDB."""

import asyncio
import time
from pathlib import Path

from aiohttp import ClientSession
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from ingest.__main__ import main
from tests.ingest.influx_proxy import Say, proxied
from tests.ingest.service import influx_settings, serving
from tools.influx_server import InfluxServer, call

START_MS = 1_539_112_021_301


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
            # Refused lines are asked for once more before they are dead.
            proxy.script.extend([Say(400, '{"code":"invalid","message":"not today"}')] * 2)
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
                "any", record=b'cpu,host=a usage=1.5,name="x" 1539112021301000000\nmem free=2i 1539112021301000005'
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
        assert [row[0] for row in rows] == [1_539_112_021_301_000_000, 1_539_112_021_301_000_005]  # type: ignore[index]

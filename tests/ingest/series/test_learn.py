"""What an earlier version stored in InfluxDB is known, though the spool's file has no list of it."""

import asyncio
from pathlib import Path

import pytest

from ingest.influxql import InfluxQL
from ingest.point_writer import InfluxAddress
from ingest.series.learn import Learner
from ingest.series.registry import Registry, SeriesLimits, id_of
from ingest.spool.spool import Spool
from tests.ingest.influx_proxy import proxied
from tests.ingest.service import influx_settings, put, serving
from tools.influx_server import InfluxServer, call

START_MS = 1_539_112_021_301


def store(server: InfluxServer, bucket: str, lines: str | bytes) -> None:
    body = lines if isinstance(lines, bytes) else lines.encode()
    call(server, "POST", "/api/v2/write", body, {"org": server.org, "bucket": bucket, "precision": "ms"})


@pytest.mark.parametrize("keys_at_once", [3, 7, 21, 1000])
async def test_every_series_of_earlier_is_known(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str, keys_at_once: int
) -> None:
    sensors = [f"country=brasil,region=são,sensor=s{i},status={s}" for i in range(10) for s in ("erro", "processado")]
    store(influx_server, influx_bucket, "".join(f"events,{tags} value=1 {START_MS}\n" for tags in sensors))
    store(influx_server, influx_bucket, f"m,a\\ b=c\\,d,host=h v=1 {START_MS}\n")
    # InfluxDB takes what is no UTF-8, and must tell of the others all the same.
    store(influx_server, influx_bucket, b"m,a=\xff v=1 1\nevents,country=a,region=\xff,sensor=c value=1 1\n")
    spool, registry = Spool(tmp_path, 10**8), Registry(SeriesLimits(), learning=True)
    events = InfluxQL(InfluxAddress(influx_server.url, influx_server.org, influx_bucket, influx_server.token), 10)
    await Learner(spool.backlog, events, registry, keys_at_once).run()
    await events.close()
    await spool.close()
    again = Spool(tmp_path, 10**8)
    assert again.backlog.has_learned
    assert again.backlog.series() >= {*(id_of(f"brasil.são.s{i}") for i in range(10)), id_of(b"m,a b=c,d,host=h")}
    assert registry.gauges()["series"] == 13
    await again.close()


async def wait_until_learned(folder: Path) -> None:
    async with asyncio.timeout(20):
        while True:
            spool = Spool(folder, 10**8)
            has_learned = spool.backlog.has_learned
            await spool.close()
            if has_learned:
                return
            await asyncio.sleep(0.05)


async def test_while_influxdb_is_away_nobody_is_refused_for_coming_too_soon(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    store(influx_server, influx_bucket, f'events,country=a,region=b,sensor=c,status=erro text="" {START_MS}\n')
    async with proxied(influx_server) as proxy:
        proxy.away = True
        settings = influx_settings(
            tmp_path, influx_server, influx_bucket, influx_url=proxy.url, max_new_series_a_minute=2
        )
        async with serving(settings) as client:
            await put(client, *((START_MS, f"a.b.s{i}", "2") for i in range(10)))
            proxy.away = False
            await wait_until_learned(tmp_path)
            body = [{"timestamp": START_MS, "tag": f"a.b.{name}", "valor": 1} for name in ("c", "new", "newer", "last")]
            async with client.post("/events", json=body) as answer:
                receipt = await answer.json()
    assert receipt["accepted"] == 3, "c is known, and two new ones a minute are allowed"
    assert [item["code"] for item in receipt["rejected"]] == ["series_rate"]

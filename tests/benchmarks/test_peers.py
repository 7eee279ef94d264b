"""A peer that did less than Pulso would be no measure: all of them store the same points."""

import json
from collections.abc import Iterator

import pytest

from benchmarks import throughput
from benchmarks.bench import Bench
from benchmarks.events import TEXTS, Events
from benchmarks.job import Plan
from benchmarks.rounds import Contender, run_name
from benchmarks.sending import sending
from benchmarks.stored import Bucket, fresh_bucket
from tools.influx_server import call

EVENTS = 300
PEERS = (throughput.RAW, throughput.TELEGRAF_LINES, throughput.TELEGRAF_ARRAYS, throughput.NDJSON)

Point = tuple[int, str, str, float | None, str | None]


@pytest.mark.parametrize("contender", PEERS, ids=lambda contender: contender.name)
def test_a_peer_stores_what_the_events_are(contender: Contender, bench: Bench) -> None:
    plan = Plan(contender.form, EVENTS, 100)
    with (
        sending(plan) as sender,
        fresh_bucket(bench.influx, run_name(bench)) as bucket,
        contender.start(bench, bucket) as peer,
    ):
        sender.send(peer.job(contender.form, 2))
        assert bucket.wait_for(EVENTS)[1] == EVENTS
        assert sorted(_stored(bucket)) == sorted(_expected())


def _expected() -> Iterator[Point]:
    for number in range(EVENTS):
        event = json.loads(Events().json(number))
        valor = event["valor"]
        is_text = not valor or valor in TEXTS
        value, text = (None, valor) if is_text else (float(valor), None)
        yield event["timestamp"], event["tag"], "processado" if valor else "erro", value, text


def _stored(bucket: Bucket) -> Iterator[Point]:
    parameters = {
        "db": bucket.name,
        "epoch": "ns",
        "q": "SELECT country, region, sensor, status, value, text FROM events",
    }
    (result,) = call(bucket.server, "GET", "/query", parameters=parameters)["results"]
    (series,) = result["series"]
    for time_ns, country, region, sensor, status, value, text in series["values"]:
        # Pulso adds an offset below the millisecond, so that different values stay apart.
        yield time_ns // 10**6, f"{country}.{region}.{sensor}", status, value, text

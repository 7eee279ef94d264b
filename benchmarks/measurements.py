"""What is measured: each function starts what it needs, measures, and yields rows of the table."""

import statistics
import threading
import time
from collections.abc import Iterator

from benchmarks import hello, raw
from benchmarks.bench import Bench, Row
from benchmarks.service import Service, load, post, verified
from tools.influx_server import Influxd, InfluxServer, call, make_bucket

START_MS = 1_539_112_021_301
STORES = ("embedded", "influx")
OUTAGE_SECONDS = 30
BATCHED_EVENTS = 1_000_000
SEED_EXAMPLE = {"sudeste.sensor01": 700, "sudeste.sensor02": 300, "sul.sensor01": 1250, "sul.sensor02": 250}
SEED_COUNTS = """\
brasil.sudeste - 1000
brasil.sudeste.sensor01 - 700
brasil.sudeste.sensor02 - 300
brasil.sul - 1500
brasil.sul.sensor01 - 1250
brasil.sul.sensor02 - 250
"""


def seed_example(bench: Bench) -> Iterator[Row]:
    for store in STORES:
        with bench.service(store, f"seed-{store}") as service:
            for name, size in SEED_EXAMPLE.items():
                post(
                    service,
                    [{"timestamp": START_MS + i, "tag": f"brasil.{name}", "valor": str(i)} for i in range(size)],
                )
            _wait_until_counted(service)
            right = service.counts() == SEED_COUNTS
        yield Row(f"seed example, counts as text, {store}", "the six lines" if right else "WRONG", "the six lines")


def a_thousand_a_second(bench: Bench) -> Iterator[Row]:
    for store in STORES:
        with bench.service(store, f"steady-{store}") as service:
            duration = f"{bench.seconds}s"
            loaded = load(bench.results(f"steady-{store}"), service.url, f"--rate 1000 --duration {duration}")
            said = verified(loaded, service.url)
        measured = f"{loaded.sent:,} sent, {loaded.acked:,} acked, {said}; ack p99 {loaded.p99_ms:.1f} ms"
        yield Row(f"1000 single events/s for {duration}, {store}", measured, "all verified, p99 < 20 ms")


def single_requests(bench: Bench) -> Iterator[Row]:
    """aiohttp alone and both stores in turn, so that the ratios hold when the machine's speed drifts."""
    rates: dict[str, list[float]] = {"aiohttp": [], "embedded": [], "influx": []}
    options = "--rate 0 --events 30000 --connections 64"
    with (
        hello.serving() as url,
        bench.service("embedded", "single-e") as embedded,
        bench.service("influx", "single-i") as influx,
    ):
        for _ in range(bench.rounds):
            for name, target in (("aiohttp", url), ("embedded", embedded.url), ("influx", influx.url)):
                rates[name].append(load(bench.results("single"), target, options).events_per_second)
            wait_until_shipped(influx)
    bare = rates["aiohttp"]
    yield Row("single-event requests, aiohttp that keeps nothing", f"{statistics.median(bare):,.0f}/s", "(reference)")
    for store in STORES:
        ratio = statistics.median(rate / other for rate, other in zip(rates[store], bare, strict=True))
        measured = f"{statistics.median(rates[store]):,.0f}/s, {ratio:.2f} × aiohttp alone"
        yield Row(f"single-event requests, durable, one worker, {store}", measured, "≥ 8 000/s")


def ndjson_into_influxdb(bench: Bench) -> Iterator[Row]:
    """In turn with raw line protocol into the same InfluxDB, for the same reason."""
    raws, rates = [], []
    for number in range(bench.rounds):
        raw_bucket, bucket = f"raw-{number}", f"ndjson-{number}"
        make_bucket(bench.influx, raw_bucket)
        raws.append(raw.events_per_second(bench.influx, raw_bucket, BATCHED_EVENTS))
        rates.append(_ndjson_rate(bench, bucket))
        counted = _counted(bench.influx, bucket)
        if counted != BATCHED_EVENTS:
            yield Row("NDJSON of 1000", f"WRONG: {counted:,} of {BATCHED_EVENTS:,} are in InfluxDB", "all")
    ratio = statistics.median(rate / other for rate, other in zip(rates, raws, strict=True))
    reference = f"{statistics.median(raws):,.0f} events/s"
    yield Row("ready line protocol of 5000 straight into InfluxDB, 2 connections", reference, "(reference)")
    measured = f"{statistics.median(rates):,.0f} events/s, {ratio:.2f} × straight"
    yield Row("NDJSON of 1000, durable, counted in InfluxDB at the end", measured, "≥ 100 000 events/s")


def _ndjson_rate(bench: Bench, bucket: str) -> float:
    options = f"--rate 0 --events {BATCHED_EVENTS} --batch 1000 --format ndjson --connections 4"
    with bench.service("influx", bucket) as service:
        loaded = load(bench.results(bucket), service.url, options)
        sent = time.monotonic()
        wait_until_shipped(service)
        return loaded.acked / (loaded.acked / loaded.events_per_second + time.monotonic() - sent)


def outage(bench: Bench) -> Iterator[Row]:
    with bench.service("influx", "outage") as service:
        sending = OUTAGE_SECONDS + 20
        stopper = threading.Thread(target=_stop_for_a_while, args=(bench.influxd,))
        before_mb = service.resident_mb()
        stopper.start()
        loaded = load(bench.results("outage"), service.url, f"--rate 1000 --duration {sending}s")
        stopper.join()
        back = time.monotonic()
        wait_until_shipped(service)
        said = verified(loaded, service.url)
        counted = _counted(bench.influx, "outage")
        measured = (
            f"{loaded.acked:,} of {loaded.sent:,} acked, {counted:,} in InfluxDB, {said}; "
            f"shipped {time.monotonic() - back:.1f} s after; "
            f"memory {before_mb:.0f} → {service.memory_mb():.0f} MB at most"
        )
    what = f"InfluxDB stopped for {OUTAGE_SECONDS} s of {sending} s at 1000 events/s"
    yield Row(what, measured, "all, once; memory flat")


def memory(bench: Bench) -> Iterator[Row]:
    for store in STORES:
        with bench.service(store, f"memory-{store}") as service:
            options = f"--rate 10000 --batch 10 --duration {bench.seconds}s"
            loaded = load(bench.results(f"memory-{store}"), service.url, options)
            share = loaded.acked / loaded.sent
            per_million = service.cpu_seconds() / loaded.acked * 10**6
            measured = (
                f"{service.memory_mb():.0f} MB at most; {share:.0%} acked, "
                f"p99 {loaded.p99_ms:.1f} ms, {per_million:.1f} CPU s/million events"
            )
        yield Row(f"10 000 events/s for {bench.seconds} s, arrays of 10, {store}", measured, "< 150 MB")


ALL = (seed_example, a_thousand_a_second, single_requests, ndjson_into_influxdb, outage, memory)


def _stop_for_a_while(influxd: Influxd) -> None:
    time.sleep(10)
    influxd.stop()
    time.sleep(OUTAGE_SECONDS)
    influxd.start()


def wait_until_shipped(service: Service) -> None:
    while service.gauge("ingest_spool_points"):
        time.sleep(0.02)


def _wait_until_counted(service: Service) -> None:
    wait_until_shipped(service)
    while service.gauge("ingest_rollup_dirty_minutes"):
        time.sleep(0.02)


def _counted(server: InfluxServer, bucket: str) -> int:
    parameters = {"db": bucket, "q": "SELECT count(value), count(text) FROM events"}
    (result,) = call(server, "GET", "/query", parameters=parameters)["results"]
    return sum(count or 0 for series in result.get("series", []) for count in series["values"][0][1:])

"""What it holds in memory, and what an event costs on disk."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, Row
from benchmarks.job import Plan
from benchmarks.peers import Peer, embedded, pulso
from benchmarks.rounds import run_name
from benchmarks.sending import sending
from benchmarks.service import Service
from benchmarks.stored import fresh_bucket
from tools.influx_server import own_influxd, set_up

_RATE = 100_000
_BATCH = 1000
_MEMORY_MB = 150.0
_INFLUX_BYTES = 15.0
_EMBEDDED_BYTES = 60.0
_CONNECTIONS = 4
_STILL_SECONDS = 3.0
_SLOWEST_SECONDS = 120.0
# InfluxDB would do the same after ten minutes and four hours without a write.
_COMPACTED_SOON = ("--storage-cache-snapshot-write-cold-duration=1s", "--storage-compact-full-write-cold-duration=2s")


def memory_at_full_rate(bench: Bench) -> Iterator[Row]:
    """The most that ingest held, as the kernel counts it, its processes added up."""
    plan = Plan("ndjson", _RATE * bench.seconds, _BATCH, step_ms=10, start_ms=time.time_ns() // 1_000_000)
    bench.progress(f"{_RATE:,} events/s for {bench.seconds} s")
    with sending(plan) as sender, fresh_bucket(bench.influx, run_name(bench)) as bucket, pulso(bench, bucket) as peer:
        sent = sender.send(peer.job("ndjson", _CONNECTIONS, _RATE / _BATCH))
        counted = bucket.wait_for(sent.events)[1]
        peak_mb = peer.tree.peak_mb()
    what = f"ingest memory at {_RATE:,} events/s for {bench.seconds} s, NDJSON of {_BATCH}"
    if counted != sent.events:
        yield Row(what, f"WRONG: {counted:,} of {sent.events:,} are in InfluxDB", "all", met=False)
    rate = sent.events / (sent.ended - sent.started)
    measured = f"{peak_mb:.0f} MB at most; {rate:,.0f} events/s acked, {sent.refused:,} refused and sent again"
    yield Row(what, measured, f"≤ {_MEMORY_MB:.0f} MB", peak_mb <= _MEMORY_MB and rate >= 0.95 * _RATE, peak_mb)


def disk(bench: Bench) -> Iterator[Row]:
    """What the folder grew by from one event on, an event; counts by minute and hour, indexes and all included."""
    yield _influx(bench)
    yield _embedded(bench)


def _influx(bench: Bench) -> Row:
    """A server of its own, told to compact at once what it would leave alone for hours."""
    bench.progress("disk bytes an event, InfluxDB")
    what = f"disk bytes per event, InfluxDB, {bench.sizes.stored:,} events of 1000 sensors, compacted"
    with own_influxd(*_COMPACTED_SOON) as influxd:
        server = set_up(influxd.server)
        with fresh_bucket(server, "disk") as bucket, pulso(bench, bucket, "--rollup-interval-seconds", "0.5") as peer:
            _send(peer, Plan("ndjson", 1, _BATCH))
            bucket.wait_for(1)
            before = _bytes(influxd.engine_folder)
            _send(peer, Plan("ndjson", bench.sizes.stored, _BATCH, first=1000))
            counted = bucket.wait_for(1 + bench.sizes.stored)[1]
            _wait_until_rolled_up(peer)
            used = _still_bytes(influxd.engine_folder) - before
    return _bytes_row(what, used, counted - 1, bench.sizes.stored, _INFLUX_BYTES)


def _embedded(bench: Bench) -> Row:
    bench.progress("disk bytes an event, embedded")
    what = f"disk bytes per event, embedded, {bench.sizes.stored:,} events of 1000 sensors"
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        data = Path(folder) / "data"
        with embedded(data) as (peer, _):
            _send(peer, Plan("ndjson", 1, _BATCH))
        before = _bytes(data)
        with embedded(data) as (peer, service):
            _send(peer, Plan("ndjson", bench.sizes.stored, _BATCH, first=1000))
            counted = _counted(service)
        used = _bytes(data) - before
    return _bytes_row(what, used, counted - 1, bench.sizes.stored, _EMBEDDED_BYTES)


def _bytes_row(what: str, used: int, counted: int, expected: int, most: float) -> Row:
    if counted != expected:
        return Row(what, f"WRONG: {counted:,} of {expected:,} are stored", "all", met=False)
    return Row(what, f"{used / counted:.1f}", f"≤ {most:g}", used / counted <= most, used / counted)


def _send(peer: Peer, plan: Plan) -> None:
    with sending(plan) as sender:
        sender.send(peer.job(plan.form, _CONNECTIONS))


def _wait_until_rolled_up(peer: Peer) -> None:
    service = Service(f"http://127.0.0.1:{peer.port}", peer.tree)
    while service.gauge("ingest_rollup_dirty_minutes"):
        time.sleep(0.1)


def _counted(service: Service) -> int:
    """Of the counts as text, those of the regions."""
    lines = (line.split(" - ") for line in service.counts().splitlines())
    return sum(int(count) for tag, count in lines if tag.count(".") == 1)


def _still_bytes(folder: Path) -> int:
    """The size, once it has not changed for some seconds; two minutes are waited for that."""
    deadline = time.monotonic() + _SLOWEST_SECONDS
    size, since = _bytes(folder), time.monotonic()
    while time.monotonic() < min(deadline, since + _STILL_SECONDS):
        time.sleep(0.2)
        if (now := _bytes(folder)) != size:
            size, since = now, time.monotonic()
    return size


def _bytes(folder: Path) -> int:
    """What the disk gave for it."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


ALL = (memory_at_full_rate, disk)

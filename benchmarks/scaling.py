"""The scaling sheet: what events/s, CPU and memory depend on. Short runs, so that it can be drawn on any machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks import null_server
from benchmarks.bench import Bench, Row
from benchmarks.job import Plan
from benchmarks.peers import Peer, ingest, pulso
from benchmarks.rounds import run_name
from benchmarks.sending import Sending, sending
from benchmarks.stored import fresh_bucket
from tools.influx_server import InfluxServer

_MOST_ROUNDS = 3
_NO_LIMIT = ("--max-series", "10000000", "--max-new-series-a-minute", "100000000")
_SLOWEST_SECONDS = 300.0
_ELSEWHERE = ", InfluxDB on another machine"
_FEWEST_CONNECTIONS = 4
_MOST_CONNECTIONS = 64


@dataclass(frozen=True)
class Place:
    """Ingest in front of an InfluxDB; ``wait`` returns when that has so many events, and how many it has then."""

    peer: Peer
    wait: Callable[[int], tuple[float, int]]


Start = Callable[[], AbstractContextManager[Place]]


@dataclass(frozen=True)
class Figures:
    """Of one run: events/s until InfluxDB had all, events/s acked, and what ingest took; ``wrong`` if it has others."""

    wrong: str
    rate: float
    acked: float
    cpu_us: float
    peak_mb: float

    def __str__(self) -> str:
        rates = f"{self.rate:,.0f} events/s, acked at {self.acked:,.0f}/s"
        return f"{self.wrong}{rates}; CPU {self.cpu_us:.2f} µs an event; {self.peak_mb:.0f} MB at most"


def scaling_workers(bench: Bench) -> Iterator[Row]:
    """One worker, and as many as cores."""
    for plan in (_plan(bench, 1000), _plan(bench, 1)):
        for workers in bench.sheet.workers:
            options = ("--workers", str(workers))
            what = f"{_batch(plan)}, {workers} worker{'s' if workers > 1 else ''}"
            yield _row(bench, what, plan, partial(here, bench, *options))
            yield _row(bench, what + _ELSEWHERE, plan, partial(elsewhere, bench, 0, *options))


def scaling_batches(bench: Bench) -> Iterator[Row]:
    """Events a request."""
    for batch in bench.sheet.batches:
        plan = _plan(bench, batch)
        yield _row(bench, _batch(plan), plan, partial(here, bench))


def scaling_sensors(bench: Bench) -> Iterator[Row]:
    """Sensors are known when it is measured; how fast they became so stands beside."""
    for sensors in bench.sheet.sensors:
        first = Plan("ndjson", sensors, 1000, sensors=sensors)
        then = Plan("ndjson", max(sensors, bench.sizes.batched), 1000, sensors=sensors, first=sensors)
        with sending(first) as introducing, sending(then) as sender:
            for where, start in (("", here(bench, *_NO_LIMIT)), (_ELSEWHERE, elsewhere(bench, 0, *_NO_LIMIT))):
                what = f"NDJSON of 1000, {sensors:,} sensors{where}"
                bench.progress(what)
                with start as place:
                    new = _run(place, introducing, 0)
                    known = _run(place, sender, sensors)
                # A request or two say nothing of a rate.
                introduced = f"; {new.rate:,.0f} events/s while they are new" if sensors > 4 * first.batch else ""
                yield Row(what, f"{known}{introduced}", "")


def scaling_elsewhere(bench: Bench) -> Iterator[Row]:
    """InfluxDB on another machine: played by a process that takes the lines, keeps nothing, and answers late."""
    plan = _plan(bench, 1000)
    for delay_ms in bench.sheet.delays_ms:
        for gzip in ("false", "true"):
            what = f"NDJSON of 1000, InfluxDB {delay_ms} ms away{', gzip' if gzip == 'true' else ''}"
            yield _row(
                bench,
                what,
                plan,
                partial(elsewhere, bench, delay_ms, "--influx-gzip", gzip),
            )


def _plan(bench: Bench, batch: int) -> Plan:
    """Fewer events where each costs more, so that no run is long."""
    events = {1: bench.sizes.single // 4, 10: bench.sizes.single}.get(batch, bench.sizes.batched)
    return Plan("single" if batch == 1 else "ndjson", events, batch)


def _batch(plan: Plan) -> str:
    return "single-event requests" if plan.batch == 1 else f"NDJSON of {plan.batch}"


def _row(bench: Bench, what: str, plan: Plan, start: Start) -> Row:
    runs = []
    with sending(plan) as sender:
        for number in range(min(bench.rounds, _MOST_ROUNDS)):
            bench.progress(f"{what}, round {number + 1}")
            with start() as place:
                runs.append(_run(place, sender, 0))
    runs.sort(key=lambda run: run.rate)
    return Row(what, str(runs[len(runs) // 2]), "")


def _run(place: Place, sender: Sending, before: int) -> Figures:
    used = place.peer.tree.cpu_seconds()
    # Who sends few at a time is seldom alone.
    connections = min(_MOST_CONNECTIONS, max(_FEWEST_CONNECTIONS, 1000 // sender.plan.batch))
    sent = sender.send(place.peer.job(sender.plan.form, connections))
    ended, counted = place.wait(before + sent.events)
    used = place.peer.tree.cpu_seconds() - used
    expected = before + sent.events
    wrong = "" if counted == expected else f"WRONG: {counted:,} of {expected:,} are in InfluxDB; "
    acked = sent.events / (sent.ended - sent.started)
    rate = sent.events / (ended - sent.started)
    return Figures(wrong, rate, acked, used / sent.events * 10**6, place.peer.tree.peak_mb())


@contextmanager
def here(bench: Bench, *options: str) -> Iterator[Place]:
    """The real InfluxDB, on this machine, asked what it has written: to count a million sensors takes it minutes."""
    with fresh_bucket(bench.influx, run_name(bench)) as bucket, pulso(bench, bucket, *options) as peer:
        yield Place(peer, lambda events: (bucket.wait_until_written(events), bucket.written()))


@contextmanager
def elsewhere(bench: Bench, delay_ms: int, *options: str) -> Iterator[Place]:
    """An InfluxDB that costs this machine next to nothing, as one on another machine would."""
    with null_server.serving(delay_ms / 1000) as server:

        def wait(events: int) -> tuple[float, int]:
            deadline = time.monotonic() + _SLOWEST_SECONDS
            while (taken := server.taken().events) < events and time.monotonic() < deadline:
                time.sleep(0.02)
            return time.monotonic(), taken

        name = run_name(bench)
        with ingest(bench.folder / name, InfluxServer(server.url, "none"), name, *options) as peer:
            yield Place(peer, wait)


ALL = (scaling_workers, scaling_batches, scaling_sensors, scaling_elsewhere)

"""What loadgen itself can send: against a server that takes everything, so that the sender is the limit."""

import json
import resource
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import null_server
from benchmarks.bench import Bench, Row
from benchmarks.null_server import NullServer
from benchmarks.service import load

SECONDS = 5


@dataclass(frozen=True)
class Limit:
    """A rate to hold, in events a second, and the options it is sent with."""

    what: str
    rate: int
    options: str


LIMITS = (
    Limit("batches of 1000", 200_000, "--batch 1000"),
    Limit("batches of 1000, gzip", 200_000, "--batch 1000 --gzip"),
    Limit("batches of 1000, line protocol", 200_000, "--batch 1000 --format lp"),
    Limit("batches of 1000, two processes", 400_000, "--batch 1000 --processes 2"),
    Limit("single requests", 15_000, ""),
    Limit("single requests, two processes", 20_000, "--processes 2"),
)


@dataclass(frozen=True)
class Held:
    """One measurement. ``error`` is how far the rate of the whole was from the plan; ``cores`` what it took."""

    error: float
    cores: float
    p99_ms: float


def loadgen_limits(bench: Bench) -> Iterator[Row]:
    with null_server.serving() as server:
        for limit in LIMITS:
            rounds = [hold(limit, server, bench.results("limits"), SECONDS) for _ in range(bench.rounds)]
            error = statistics.median(held.error for held in rounds)
            cores = statistics.median(held.cores for held in rounds)
            p99_ms = statistics.median(held.p99_ms for held in rounds)
            measured = f"held within {error:.2%}, with {cores:.2f} of a core; p99 {p99_ms:.1f} ms"
            yield Row(f"loadgen, {limit.rate:,} events/s in {limit.what}", measured, "≤ 1 %")
        yield from _fastest(bench, server)


def _fastest(bench: Bench, server: NullServer) -> Iterator[Row]:
    """Without a rate: how much there is beyond what was asked for."""
    for what, options in (
        ("batches of 1000", "--events 2000000 --batch 1000 --connections 4"),
        ("single requests", "--events 100000 --connections 64"),
    ):
        loads = [load(bench.results("limits"), server.url, f"--rate 0 {options}") for _ in range(bench.rounds)]
        rate = statistics.median(loaded.events_per_second for loaded in loads)
        yield Row(f"loadgen, as fast as it goes, {what}", f"{rate:,.0f} events/s", "(reference)")


def hold(limit: Limit, server: NullServer, results: Path, seconds: int) -> Held:
    """Send at the rate for so long. Raises RuntimeError if an event was lost on the way."""
    taken, used = server.taken().events, _cpu_seconds()
    loaded = load(results, server.url, f"--rate {limit.rate} --duration {seconds}s {limit.options}")
    used, taken = _cpu_seconds() - used, server.taken().events - taken
    if not taken == loaded.acked == loaded.sent == limit.rate * seconds:
        raise RuntimeError(f"{loaded.sent:,} were sent, {loaded.acked:,} acked, and {taken:,} taken by the server")
    return Held(_error(results, limit.rate, seconds), used / seconds, loaded.p99_ms)


def _error(results: Path, rate: int, seconds: int) -> float:
    """By the planned end, a catch-up after it does not count."""
    lines = map(json.loads, results.read_text().splitlines())
    sent: int = sum(line["sent"] for line in lines if line["line"] == "second" and line["second"] < seconds)
    return abs(sent / (rate * seconds) - 1)


def _cpu_seconds() -> float:
    """Of all processes that were started here and have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

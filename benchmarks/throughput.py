"""Events a second, durable and counted in InfluxDB at the end: Pulso beside its peers."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

from benchmarks.bench import Bench, Row
from benchmarks.job import Plan
from benchmarks.peers import Peer, pulso, raw, telegraf
from benchmarks.rounds import Contender, Rounds, Run, in_turn
from benchmarks.stored import Bucket

_BATCH_CONNECTIONS = 4
_SINGLE_CONNECTIONS = (64, 512)


def _telegraf_json(bench: Bench, bucket: Bucket) -> AbstractContextManager[Peer]:
    return telegraf(bench, bucket, "json.conf")


def _worker_a_core(bench: Bench, bucket: Bucket) -> AbstractContextManager[Peer]:
    return pulso(bench, bucket, "--workers", str(os.cpu_count() or 1))


RAW = Contender("ready line protocol of 5000 straight into InfluxDB", "lp", lambda _, bucket: nullcontext(raw(bucket)))
TELEGRAF_ARRAYS = Contender("Telegraf, JSON arrays of 1000, nothing durable", "array", _telegraf_json)
TELEGRAF_LINES = Contender(
    "Telegraf, line protocol of 5000, nothing durable",
    "lp",
    lambda bench, bucket: telegraf(bench, bucket, "lines.conf"),
)
NDJSON = Contender("NDJSON of 1000", "ndjson", pulso)
ARRAYS = Contender("JSON arrays of 1000", "array", pulso)
LINES = Contender("line protocol of 5000", "lp", pulso)
# The goals of the issue, as ratios of one run.
_GOALS = (
    (NDJSON, TELEGRAF_ARRAYS, 3.0),
    (NDJSON, RAW, 0.7),
    (ARRAYS, TELEGRAF_ARRAYS, 3.0),
    (ARRAYS, RAW, 0.7),
    (LINES, TELEGRAF_LINES, 3.0),
    (LINES, RAW, 0.8),
)
_CPU_SECONDS_A_MILLION = 2.5
_CPU_OF_TELEGRAF = 1 / 3
_SINGLE_OF_TELEGRAF = 1.0


def batches(bench: Bench) -> Iterator[Row]:
    """NDJSON, arrays and line protocol, beside Telegraf and InfluxDB alone; CPU an event."""
    events = bench.sizes.batched
    plans = {
        "ndjson": Plan("ndjson", events, 1000),
        "array": Plan("array", events, 1000),
        "lp": Plan("lp", events, 5000),
    }
    contenders = (RAW, NDJSON, TELEGRAF_ARRAYS, ARRAYS, LINES, TELEGRAF_LINES)
    rounds = in_turn(bench, contenders, plans, _BATCH_CONNECTIONS)
    yield from rounds.wrong()
    for reference in (RAW, TELEGRAF_ARRAYS, TELEGRAF_LINES):
        yield _reference(rounds, reference)
    for contender, other, least in _GOALS:
        yield _against(rounds, contender, other, least)
    yield from _cpu(rounds)


def single_events(bench: Bench) -> Iterator[Row]:
    """Requests of one event, with a worker a core and with one alone, beside Telegraf."""
    plans = {"single": Plan("single", bench.sizes.single)}
    for connections in _SINGLE_CONNECTIONS:
        of = f"single-event requests over {connections} connections"
        telegraf_single = Contender(f"Telegraf, {of}, nothing durable", "single", _telegraf_json)
        ours = (
            Contender(f"{of}, a worker a core", "single", _worker_a_core),
            Contender(f"{of}, one worker", "single", pulso),
        )
        rounds = in_turn(bench, (*ours, telegraf_single), plans, connections)
        yield from rounds.wrong()
        yield _reference(rounds, telegraf_single)
        for contender in ours:
            yield _against(rounds, contender, telegraf_single, _SINGLE_OF_TELEGRAF)


def _reference(rounds: Rounds, contender: Contender) -> Row:
    measured = f"{rounds.median(contender.name, _rate):,.0f} events/s"
    if contender is not RAW:
        cpu_us, peak_mb = rounds.median(contender.name, _cpu_us), rounds.median(contender.name, _peak_mb)
        measured += f"; CPU {cpu_us:.2f} µs an event; {peak_mb:.0f} MB at most"
    return Row(contender.name, measured, "(reference)")


def _against(rounds: Rounds, contender: Contender, other: Contender, least: float) -> Row:
    ratio = rounds.ratio(contender.name, other.name, _rate)
    whom = "raw" if other is RAW else "Telegraf"
    rate, cpu_us = rounds.median(contender.name, _rate), rounds.median(contender.name, _cpu_us)
    measured = f"{rate:,.0f} events/s, {ratio:.2f} × {whom}; CPU {cpu_us:.2f} µs an event"
    if refused := sum(run.sent.refused for run in rounds.runs[contender.name]):
        measured += f"; {refused:,} requests refused and sent again"
    what = f"{contender.name}, durable, counted in InfluxDB, against {whom}"
    return Row(what, measured, f"≥ {least:g} × {whom}", ratio >= least, ratio)


def _cpu(rounds: Rounds) -> Iterator[Row]:
    seconds = rounds.median(NDJSON.name, _cpu_us)
    goal = f"≤ {_CPU_SECONDS_A_MILLION}"
    what = "CPU seconds of ingest per million events, NDJSON of 1000"
    yield Row(what, f"{seconds:.2f}", goal, seconds <= _CPU_SECONDS_A_MILLION, seconds)
    ratio = rounds.ratio(NDJSON.name, TELEGRAF_ARRAYS.name, _cpu_us)
    yield Row(f"{what}, against Telegraf", f"{ratio:.2f} ×", "≤ ⅓ of Telegraf's", ratio <= _CPU_OF_TELEGRAF, ratio)


def _rate(run: Run) -> float:
    return run.rate


def _cpu_us(run: Run) -> float:
    return run.cpu_us


def _peak_mb(run: Run) -> float:
    return run.peak_mb


ALL = (batches, single_events)

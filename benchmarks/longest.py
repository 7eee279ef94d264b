"""Whether what is there already slows what comes."""

import statistics
from collections.abc import Iterator

from benchmarks.bench import Bench, Row
from benchmarks.job import Plan
from benchmarks.peers import Peer, pulso
from benchmarks.rounds import run_name
from benchmarks.sending import sending
from benchmarks.stored import Bucket, fresh_bucket

_CONNECTIONS = 4
# A chance in one part shall not decide.
_COMPARED = 3
_GOAL = 0.9


def fifty_million(bench: Bench) -> Iterator[Row]:
    """NDJSON into one bucket, a million after the other; --longest makes it shorter."""
    sizes = bench.sizes
    rates: list[float] = []
    with fresh_bucket(bench.influx, run_name(bench)) as bucket, pulso(bench, bucket) as peer:
        for first in range(0, sizes.longest, sizes.part):
            bench.progress(f"{first:,} of {sizes.longest:,} events are in, at {rates[-1] if rates else 0:,.0f}/s")
            rates.append(_part(peer, bucket, first, min(sizes.part, sizes.longest - first)))
            if first == 0:
                first_mb = peer.tree.resident_mb()
        last_mb, peak_mb = peer.tree.resident_mb(), peer.tree.peak_mb()
        counted = bucket.wait_for(sizes.longest)[1]
    what = f"throughput after {sizes.longest:,} events against the first {sizes.part:,}"
    if counted != sizes.longest:
        yield Row(what, f"WRONG: {counted:,} of {sizes.longest:,} are in InfluxDB", "all", met=False)
    parts = max(1, min(_COMPARED, len(rates) // 2))
    begun, ended = statistics.median(rates[:parts]), statistics.median(rates[-parts:])
    measured = (
        f"{ended / begun:.2f} ×: {begun:,.0f} → {ended:,.0f} events/s, medians of {parts} parts each; "
        f"memory {first_mb:.0f} → {last_mb:.0f} MB, {peak_mb:.0f} at most"
    )
    yield Row(what, measured, f"≥ {_GOAL} ×", ended / begun >= _GOAL, ended / begun)


def _part(peer: Peer, bucket: Bucket, first: int, events: int) -> float:
    """Events a second, from the first request until InfluxDB has written all."""
    with sending(Plan("ndjson", events, 1000, first=first)) as sender:
        sent = sender.send(peer.job("ndjson", _CONNECTIONS))
        return events / (bucket.wait_until_written(first + events) - sent.started)


ALL = (fifty_million,)

"""What the raw archive costs: the same load without and with it, in turn."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bench import Bench, Row
from benchmarks.measurements import STORES, wait_until_shipped
from benchmarks.service import Load, load

_NDJSON = "--rate 0 --events 200000 --batch 1000 --format ndjson --connections 4"


@dataclass(frozen=True)
class _Run:
    load: Load
    cpu_us: float


_Pairs = Sequence[tuple[_Run, _Run]]


def archive_cost(bench: Bench) -> Iterator[Row]:
    """CPU time is the service's own, until all is shipped: it says more than the clock where others are busy, too."""
    steady = f"--rate 1000 --duration {max(1, bench.seconds // 12)}s"
    for store in STORES:
        pairs = _in_turn(bench, store, steady)
        p50, p99 = _change(pairs, lambda run: run.load.p50_ms), _change(pairs, lambda run: run.load.p99_ms)
        measured = f"ack p50 {p50} ms, p99 {p99} ms; CPU {_change(pairs, lambda run: run.cpu_us)} µs/event"
        yield Row(f"1000 single events/s, archive off → on, {store}", measured, "p99 < 20 ms")
    for store in STORES:
        pairs = _in_turn(bench, store, _NDJSON)
        ratio = statistics.median(on.load.events_per_second / off.load.events_per_second for off, on in pairs)
        measured = f"{ratio:.2f} × the events/s; CPU {_change(pairs, lambda run: run.cpu_us)} µs/event"
        yield Row(f"NDJSON of 1000, archive off → on, {store}", measured, "≥ 0.75 ×")


def _in_turn(bench: Bench, store: str, options: str) -> _Pairs:
    """A run without the archive and one with it, round after round; who is first changes."""
    pairs = []
    for number in range(bench.rounds):
        runs = {on: _run(bench, store, options, on) for on in ((False, True) if number % 2 else (True, False))}
        pairs.append((runs[False], runs[True]))
    return pairs


def _run(bench: Bench, store: str, options: str, archived: bool) -> _Run:
    name = f"archive-{store}-{len(list(bench.folder.iterdir()))}"
    others = ["--archive-dir", str(bench.folder / f"{name}-files")] if archived else []
    with bench.service(store, name, *others) as service:
        loaded = load(bench.results(name), service.url, options)
        wait_until_shipped(service)
        return _Run(loaded, service.cpu_seconds() / loaded.acked * 10**6)


def _change(pairs: _Pairs, of: Callable[[_Run], float]) -> str:
    off, on = (statistics.median(of(pair[side]) for pair in pairs) for side in (0, 1))
    ratio = statistics.median(of(with_it) / of(without) for without, with_it in pairs)
    return f"{off:.1f} → {on:.1f} ({ratio:.2f} ×)"


ALL = (archive_cost,)

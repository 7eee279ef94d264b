"""Three times what it can carry: what is refused, what becomes of the rest, and of a sensor that just goes on."""

import threading
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bench import Bench, Row
from benchmarks.measurements import START_MS, STORES
from benchmarks.service import Load, Service, load, post

TIMES = 3
_ALONE_SECONDS = 5
_WELL_AFTER = 50


@dataclass(frozen=True)
class Kind:
    """Requests of one kind: how they are sent as fast as they are taken, and how many at a time in an overload."""

    what: str
    options: str
    alone: int
    at_a_time: int


KINDS = (
    Kind("single events", "", 64, 2000),
    Kind("NDJSON of 1000", "--batch 1000 --format ndjson", 8, 200),
)


def overload(bench: Bench) -> Iterator[Row]:
    """Both are on this machine: the sender of the overload takes a core, too, and what it offers in fact is shown."""
    for store in STORES:
        for kind in KINDS:
            yield _row(bench, store, kind)


def _row(bench: Bench, store: str, kind: Kind) -> Row:
    name = f"overload-{store}-{kind.alone}"
    with bench.service(store, name) as service:
        alone = f"--rate 0 --duration {_ALONE_SECONDS}s --connections {kind.alone} {kind.options}"
        capacity = load(bench.results(name), service.url, alone).events_per_second
        sensor = _Sensor(bench, service, name)
        over, seconds = _overloaded(bench, service, name, kind, capacity)
        recovered_seconds = _until_well(service)
        beside = sensor.load()
        memory_mb = service.memory_mb()
    measured = (
        f"{capacity:,.0f} events/s alone; offered {over.sent / seconds:,.0f}/s, {_acked(over)} acked"
        f" ({over.acked / seconds:,.0f}/s), p99 {over.p99_ms:,.0f} ms; a sensor beside: {_acked(beside)} acked"
        f", p99 {beside.p99_ms:,.0f} ms; memory {memory_mb:.0f} MB at most; well {recovered_seconds:.1f} s after"
    )
    what = f"{TIMES} × what it carries for {bench.seconds} s, {kind.what}, {store}"
    return Row(what, measured, "p99 < 1 s, memory ≤ 200 MB, well in seconds")


def _acked(loaded: Load) -> str:
    return f"{loaded.acked / loaded.sent:.0%}"


def _overloaded(bench: Bench, service: Service, name: str, kind: Kind, capacity: float) -> tuple[Load, float]:
    rate = f"--rate {TIMES * capacity:.0f} --duration {bench.seconds}s --processes 2"
    started = time.monotonic()
    over = load(bench.results(name), service.url, f"{rate} --connections {kind.at_a_time} --timeout 5s {kind.options}")
    return over, time.monotonic() - started


class _Sensor:
    """Twenty events a second from twenty connections, from now on and a little longer than the overload."""

    def __init__(self, bench: Bench, service: Service, name: str) -> None:
        self._loads: list[Load] = []
        options = f"--rate 20 --duration {bench.seconds + 2}s --connections 20 --timeout 10s"
        self._thread = threading.Thread(
            target=lambda: self._loads.append(load(bench.results(f"{name}-beside"), service.url, options))
        )
        self._thread.start()

    def load(self) -> Load:
        self._thread.join()
        return self._loads[0]


def _until_well(service: Service) -> float:
    """Seconds until the last refusal before a run of events that all were taken."""
    started = time.monotonic()
    well_since, taken = started, 0
    while taken < _WELL_AFTER:
        try:
            post(service, [{"timestamp": START_MS, "tag": "brasil.sul.well", "valor": str(taken)}])
            taken += 1
        except urllib.error.HTTPError:
            taken, well_since = 0, time.monotonic()
        time.sleep(0.02)
    return well_since - started


ALL = (overload,)

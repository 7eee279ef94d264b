"""How long the dashboards wait for InfluxDB: their own queries, filled in as Grafana does."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator, Mapping

from benchmarks.bench import Bench, Row
from benchmarks.history import DAY_MS, START_MS, roll_up, write_day
from benchmarks.service import load, post
from tests.grafana.grafana import Grafana
from tests.grafana.interpolation import TimeRange
from tools.dashboards.files import Dashboard, Panel, dashboards
from tools.influx_server import make_bucket

_FEW, _MANY = 1_000_000, 20_000_000
_PANELS = {"Counts": "counts", "Numbers": "graph of 24 h", "All events": "table of all events"}
_RUNS = 9
_PROBE_SECONDS = 40
_POLL_SECONDS = 0.05
_HOUR_MS = 3_600_000


def dashboard_queries(bench: Bench) -> Iterator[Row]:
    """Both sizes over the same day and the same 1000 sensors; the slowest query of each panel is shown."""
    few, many = (_filled(bench, events) for events in (_FEW, _MANY))
    dashboard = _events_dashboard()
    for title, what in _PANELS.items():
        slowest, ratio = _compared(dashboard, dashboard.panel(title), few, many)
        measured = f"{slowest[_FEW]:.0f} ms at 1 M events, {slowest[_MANY]:.0f} ms at 20 M, {ratio:.2f} ×"
        yield Row(f"dashboard Events, {what}, 1000 sensors in 24 h", measured, "< 300 ms at both, ≤ 2 ×")


def freshness(bench: Bench) -> Iterator[Row]:
    """An event of a sensor of its own among 1000 events/s: when do the dashboard's queries show it?"""
    with bench.service("influx", "fresh") as service:
        options = f"--rate 1000 --sensors 1000 --duration {_PROBE_SECONDS + 5}s"
        loading = threading.Thread(target=load, args=(bench.results("fresh"), service.url, options))
        loading.start()
        grafana = _grafana(bench, "fresh")
        shown: dict[str, list[float]] = {"All events": [], "Counts": []}
        ends = time.monotonic() + _PROBE_SECONDS
        while time.monotonic() < ends:
            number = len(shown["Counts"])
            posted = time.monotonic()
            post(service, [{"timestamp": _now_ms(), "tag": f"brasil.sul.probe{number:03}", "valor": "1"}])
            for title, seconds in shown.items():
                asyncio.run(_until_shown(grafana, title, f"probe{number:03}"))
                seconds.append(time.monotonic() - posted)
        loading.join()
    for title, goal in (("All events", 1), ("Counts", 10)):
        seconds = shown[title]
        measured = f"{max(seconds):.2f} s at most, median {statistics.median(seconds):.2f} s of {len(seconds)}"
        yield Row(f"event posted → shown by the query of {title}, at 1000 events/s", measured, f"≤ {goal} s")


def _filled(bench: Bench, events: int) -> Grafana:
    bucket = f"day-{events}"
    make_bucket(bench.influx, bucket)
    make_bucket(bench.influx, f"{bucket}-rollup")
    write_day(bench.influx, bucket, events)
    roll_up(bench.influx, bucket)
    return _grafana(bench, bucket)


def _grafana(bench: Bench, bucket: str) -> Grafana:
    databases = {"pulso-events": bucket, "pulso-rollup": f"{bucket}-rollup", "pulso-ops": "ops"}
    return Grafana(bench.influx.url, bench.influx.token, databases)


def _events_dashboard() -> Dashboard:
    (found,) = [each for each in dashboards() if each.uid == "pulso-events"]
    return found


def _compared(dashboard: Dashboard, panel: Panel, few: Grafana, many: Grafana) -> tuple[Mapping[int, float], float]:
    """Milliseconds of the panel's slowest query at both sizes, and the ratio of the whole panel's."""
    rounds: list[Mapping[int, list[float]]] = [
        {_FEW: _timed(few, dashboard, panel), _MANY: _timed(many, dashboard, panel)} for _ in range(_RUNS)
    ]
    slowest = {
        size: max(map(statistics.median, zip(*(each[size] for each in rounds), strict=True))) for size in (_FEW, _MANY)
    }
    return slowest, statistics.median(sum(each[_MANY]) / sum(each[_FEW]) for each in rounds)


def _timed(grafana: Grafana, dashboard: Dashboard, panel: Panel) -> list[float]:
    """Milliseconds of each query of a panel, one after the other."""
    day = TimeRange(START_MS, START_MS + DAY_MS)

    async def ask() -> list[float]:
        took = []
        for target in panel.targets:
            started = time.perf_counter()
            await grafana.query(dashboard, panel, target, day)
            took.append((time.perf_counter() - started) * 1000)
        return took

    return asyncio.run(ask())


async def _until_shown(grafana: Grafana, title: str, sensor: str) -> None:
    dashboard = _events_dashboard()
    while True:
        now_ms = _now_ms()
        frames = await grafana.panel(dashboard, dashboard.panel(title), TimeRange(now_ms - _HOUR_MS, now_ms))
        if any(sensor in str(value) for frame in frames for field in frame.fields for value in field.values):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


ALL = (dashboard_queries, freshness)

"""The page, left open at 1000 events/s: its memory must not grow."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil
from playwright.async_api import CDPSession, Page

from benchmarks.bench import Bench, Row
from benchmarks.service import Service, load
from tests.browser import Faults, browsing

_SAMPLES = 10
_WARM_UP_SECONDS = 10
# The load goes on until the last sample is taken, however slowly the browser starts.
_BROWSER_SECONDS = 10


@dataclass(frozen=True)
class Sample:
    """After a collection of garbage: what the page holds, what its process and the service's hold."""

    heap_mb: float
    nodes: int
    listeners: int
    renderer_mb: float
    renderer_cpu_seconds: float
    ingest_mb: float
    newest_ms: float


def page_left_open(bench: Bench) -> Iterator[Row]:
    """All of the page in sight: table, graph and counts are drawn anew all the time."""
    with bench.service("embedded", "page") as service:
        seconds = bench.seconds + _WARM_UP_SECONDS + _BROWSER_SECONDS
        options = f"--rate 1000 --sensors 1000 --duration {seconds}s"
        loading = threading.Thread(target=load, args=(bench.results("page"), service.url, options))
        loading.start()
        samples, faults = asyncio.run(_watch(service, bench.seconds))
        loading.join()
    first, middle, last = samples[0], samples[len(samples) // 2], samples[-1]
    cpu = (last.renderer_cpu_seconds - first.renderer_cpu_seconds) / bench.seconds
    what = f"page open at 1000 events/s for {bench.seconds} s, at the start → in the middle → at the end"
    yield Row(
        f"{what}: JavaScript heap",
        f"{first.heap_mb:.1f} → {middle.heap_mb:.1f} → {last.heap_mb:.1f} MB, "
        f"{max(sample.heap_mb for sample in samples):.1f} at most",
        "flat",
    )
    yield Row(
        "nodes and listeners in the document",
        f"{first.nodes:,} → {middle.nodes:,} → {last.nodes:,}; "
        f"{first.listeners} → {middle.listeners} → {last.listeners}",
        "flat",
    )
    yield Row(
        "memory of the page's process, its share of a core; memory of ingest",
        f"{first.renderer_mb:.0f} → {middle.renderer_mb:.0f} → {last.renderer_mb:.0f} MB, {cpu:.0%}; "
        f"{first.ingest_mb:.0f} → {middle.ingest_mb:.0f} → {last.ingest_mb:.0f} MB",
        "flat",
    )
    age_ms = [sample.newest_ms for sample in samples]
    said = "nothing" if not faults else "; ".join(faults[:3])
    yield Row(
        "age of the newest row on the screen; complaints of the browser",
        f"{statistics.median(age_ms):.0f} ms median, {max(age_ms):.0f} at most; {said}",
        "< 2 s; nothing",
    )


async def _watch(service: Service, seconds: int) -> tuple[Sequence[Sample], Sequence[str]]:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    async with browsing() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        faults = Faults(service.url)
        faults.watch(page)
        await page.goto(f"{service.url}/view_sensor")
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        renderer = _renderer(before)
        samples = []
        started = time.monotonic() + _WARM_UP_SECONDS
        for number in range(_SAMPLES + 1):
            await asyncio.sleep(max(0.0, started + seconds * number / _SAMPLES - time.monotonic()))
            samples.append(await _sample(page, devtools, renderer, service))
        return samples, faults.seen


def _renderer(before: set[int]) -> psutil.Process:
    """The process that draws the page: the largest of the browser's renderers."""
    started = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
    renderers = [each for each in started if "--type=renderer" in each.cmdline()]
    return max(renderers, key=lambda each: each.memory_info().rss)


async def _sample(page: Page, devtools: CDPSession, renderer: psutil.Process, service: Service) -> Sample:
    newest_ms = await page.evaluate("Date.now() - Date.parse(document.querySelector('.rows time').title)")
    await devtools.send("HeapProfiler.collectGarbage")
    answer = await devtools.send("Performance.getMetrics")
    metrics = {metric["name"]: metric["value"] for metric in answer["metrics"]}
    return Sample(
        heap_mb=metrics["JSHeapUsedSize"] / 2**20,
        nodes=int(metrics["Nodes"]),
        listeners=int(metrics["JSEventListeners"]),
        renderer_mb=renderer.memory_info().rss / 2**20,
        renderer_cpu_seconds=sum(renderer.cpu_times()[:2]),
        ingest_mb=service.resident_mb(),
        newest_ms=newest_ms,
    )


ALL = (page_left_open,)

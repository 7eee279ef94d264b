"""What the plots show: a run by the second, and its percentile curve."""

import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from loadgen.latency import Percentiles
from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.report.run import Run
from loadgen.results import Second

MOST_POINTS: Final = 1800
TICKS_PER_HALF_DISTANCE: Final = 5


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Lists run beside ``at``, the start of each step in s after the run's. Rates are events a second, the mean of
    the step; latencies are in ms, the highest of the step's seconds, None where nothing was answered.

    ``planned`` is empty without a rate.
    """

    step_seconds: int
    at: list[int]
    planned: list[float]
    acked: list[float]
    rejected: list[float]
    failed: list[float]
    unsent: list[float]
    p50: list[float | None]
    p99: list[float | None]
    max: list[float | None]


class Curve(msgspec.Struct, frozen=True):
    """Latencies in ms by percentile. ``one_in`` is 1 / (1 - percentile / 100), what a logarithmic axis shows."""

    one_in: list[float]
    percentile: list[float]
    ms: list[float]


def timeline(run: Run, most_points: int = MOST_POINTS) -> Timeline:
    seconds = run.whole_seconds or run.timeline
    step = max(1, -(-len(seconds) // most_points))
    steps = [seconds[start : start + step] for start in range(0, len(seconds), step)]

    def mean(of: Callable[[Second], int]) -> list[float]:
        return [sum(map(of, part)) / len(part) for part in steps]

    def highest(of: Callable[[Percentiles], float]) -> list[float | None]:
        return [max(of(second.latency_ms) for second in part) or None for part in steps]

    return Timeline(
        step_seconds=step,
        at=[part[0].second for part in steps],
        planned=_planned(run, steps),
        acked=mean(lambda second: second.acked),
        rejected=mean(lambda second: second.rejected),
        failed=mean(lambda second: second.failed),
        unsent=mean(lambda second: second.unsent),
        p50=highest(lambda latency: latency.p50),
        p99=highest(lambda latency: latency.p99),
        max=highest(lambda latency: latency.max),
    )


def curve(run: Run) -> Curve:
    """From the histogram; from the summary's few percentiles where there is none; empty if neither is known."""
    if run.latencies and run.latencies.count:
        return _curve(run.latencies.curve(TICKS_PER_HALF_DISTANCE), run.latencies.count)
    figures = run.figures
    known = ((50.0, figures.p50), (90.0, figures.p90), (99.0, figures.p99), (99.9, figures.p999))
    return _curve([(percentile, ms) for percentile, ms in known if ms is not None], sys.maxsize)


def _curve(points: Sequence[tuple[float, float]], count: int) -> Curve:
    # The slowest of n is one in n: 100 % has no place on a logarithmic axis.
    one_in = [min(100 / (100 - percentile), count) if percentile < 100 else count for percentile, _ in points]
    return Curve(one_in, [percentile for percentile, _ in points], [ms for _, ms in points])


def _planned(run: Run, steps: Sequence[Sequence[Second]]) -> list[float]:
    whole = Pacer.of(msgspec.structs.replace(run.plan, processes=1))
    if whole.pace is None or not steps:
        return []
    most = sys.maxsize if whole.events is None else whole.events
    starts = [part[0].second for part in steps] + [steps[-1][-1].second + 1]
    due = [min(whole.pace.count(start * NS_PER_SECOND), most) for start in starts]
    return [(after - before) / len(part) for (before, after), part in zip(pairwise(due), steps, strict=True)]

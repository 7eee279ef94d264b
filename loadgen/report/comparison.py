"""Comparing runs: what differs, and whether the runs show that it does.

A single run cannot say how the next one would go, but it says how much it varies itself. So both runs are cut into
parts of equal length, and a difference counts only if every part shows it.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Final

import msgspec

from loadgen.plan import Plan
from loadgen.report.metrics import METRICS, Metric
from loadgen.report.run import Run
from loadgen.results import Second

PARTS: Final = 8
SAME_WITHIN: Final = 0.01

EXPLANATION: Final = (
    f"better, worse: by more than {SAME_WITHIN:.0%}, and in each of {PARTS} equal parts of the runs, "
    f"as chance has it once in {2 ** (PARTS - 1)} comparisons. "
    f"3/{PARTS}: only in 3 of the {PARTS} parts, so it may be noise. "
    "One run tells neither why, nor how the next will go: repeat what matters."
)


class Judgement(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "unclear"
    TOO_SHORT = "too short to tell"
    NONE = ""


class Difference(msgspec.Struct, frozen=True):
    """``value`` minus ``base``; ``ratio`` is ``value / base``. None where one is unknown, or the base is 0.

    ``parts`` is how many of the runs' PARTS parts show the difference, None if that was not looked at.
    """

    metric: str
    base: float | None
    value: float | None
    difference: float | None
    ratio: float | None
    judgement: Judgement = Judgement.NONE
    parts: int | None = None


class Comparison(msgspec.Struct, frozen=True):
    run: str
    base: str
    differences: list[Difference]


def compare(runs: Sequence[Run]) -> list[Comparison]:
    """Every run after the first, with the first."""
    return [
        Comparison(run.name, runs[0].name, [_difference(metric, runs[0], run) for metric in METRICS])
        for run in runs[1:]
    ]


def _difference(metric: Metric, base_run: Run, run: Run) -> Difference:
    base, value = metric.of(base_run.figures), metric.of(run.figures)
    if base is None or value is None:
        return Difference(metric.name, base, value, None, None)
    difference, ratio = value - base, value / base if base else None
    if metric.of_second is None or (metric.name == "rate" and not _same_rate(base_run.plan, run.plan)):
        return Difference(metric.name, base, value, difference, ratio)
    if ratio is not None and abs(ratio - 1) <= SAME_WITHIN:
        return Difference(metric.name, base, value, difference, ratio, Judgement.SAME)
    parts = _agreeing(_parts(metric, base_run), _parts(metric, run), difference)
    judgement = _judge(parts, better=(difference > 0) == metric.more_is_better)
    return Difference(metric.name, base, value, difference, ratio, judgement, parts)


def _same_rate(base: Plan, plan: Plan) -> bool:
    """A rate that was planned higher is no better."""
    return (base.rate, base.stages) == (plan.rate, plan.stages)


def _judge(parts: int | None, *, better: bool) -> Judgement:
    if parts is None:
        return Judgement.TOO_SHORT
    if parts < PARTS:
        return Judgement.UNCLEAR
    return Judgement.BETTER if better else Judgement.WORSE


def _agreeing(base: list[float], values: list[float], difference: float) -> int | None:
    """In how many parts the values differ in the same direction; None if a run is too short to be cut."""
    if not base or not values:
        return None
    return sum((value - before) * difference > 0 for before, value in zip(base, values, strict=True))


def _parts(metric: Metric, run: Run) -> list[float]:
    """The metric's median in each part of the run; empty if a part would have no second to look at."""
    seconds = _comparable(metric, run)
    if metric.of_second is None or len(seconds) < PARTS:
        return []
    values = [metric.of_second(second) for second in seconds]
    cuts = [len(values) * part // PARTS for part in range(PARTS + 1)]
    return [median(values[start:stop]) for start, stop in pairwise(cuts)]


def _comparable(metric: Metric, run: Run) -> list[Second]:
    """A second without answers has a rate of 0, but no latency."""
    seconds = run.whole_seconds
    return [second for second in seconds if second.acked + second.rejected] if metric.unit == "ms" else seconds

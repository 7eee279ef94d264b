"""Conditions under which a run has failed, like ``p99>50ms`` or ``failed>0.1%``, and what came of them."""

import operator
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from loadgen.arguments import duration_seconds
from loadgen.results import Summary

LATENCIES: Final = MappingProxyType({"p50": "p50", "p90": "p90", "p99": "p99", "p99.9": "p999", "max": "max"})
NOT_ACKED: Final = ("failed", "rejected", "unsent")
COUNTS: Final = ("errors", *NOT_ACKED, "late")
METRICS: Final = (*LATENCIES, *COUNTS, "rate")
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)
CONDITION: Final = re.compile(r"\s*([a-z0-9.]+)\s*(>=|<=|>|<)\s*(\S+)\s*", re.ASCII)
NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)(%?)", re.ASCII)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a condition. ``measured`` is its metric as people read it; ``holds`` means the run has failed."""

    condition: str
    metric: str
    measured: str
    holds: bool


class Condition(msgspec.Struct, frozen=True):
    """``limit`` is in ms for latencies, events a second for the rate, else events, or percent of all planned ones."""

    text: str
    metric: str
    comparison: str
    limit: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Raises ArgumentTypeError, with a sentence on what would work."""
        match = CONDITION.fullmatch(text)
        if match is None:
            raise ArgumentTypeError(f"{text!r} is no condition; write one like 'p99>50ms', 'failed>0.1%' or 'rate<990'")
        metric, comparison, value = match.groups()
        if metric in LATENCIES:
            return cls(text, metric, comparison, duration_seconds(value) * 1000)
        if metric not in METRICS:
            raise ArgumentTypeError(f"{text!r} is about {metric!r}, which no run has; there are {', '.join(METRICS)}")
        number = NUMBER.fullmatch(value)
        if number is None or (number[2] and metric == "rate"):
            example = "rate<990 (events/s)" if metric == "rate" else f"{metric}>0 or {metric}>0.1%"
            raise ArgumentTypeError(f"{text!r} compares {metric} with {value!r}; write for example {example}")
        return cls(text, metric, comparison, float(number[1]), bool(number[2]))

    def judge(self, summary: Summary) -> Outcome:
        if self.metric in LATENCIES and not summary.acked + summary.rejected:
            # A server that answers nothing has no slow answers either; that must not pass.
            return Outcome(self.text, self.metric, "not measured, for nothing was answered", holds=True)
        value = self._value(summary)
        return Outcome(self.text, self.metric, self._shown(value), COMPARISONS[self.comparison](value, self.limit))

    def _value(self, summary: Summary) -> float:
        if self.metric in LATENCIES:
            return float(getattr(summary.latency_ms, LATENCIES[self.metric]))
        if self.metric == "rate":
            return summary.events_per_second
        counted = NOT_ACKED if self.metric == "errors" else (self.metric,)
        count: int = sum(getattr(summary, name) for name in counted)
        planned = summary.sent + summary.unsent
        return 100 * count / max(planned, 1) if self.percent else count

    def _shown(self, value: float) -> str:
        if self.metric in LATENCIES:
            return f"{value:.1f} ms"
        if self.metric == "rate":
            return f"{value:,.1f} events/s"
        return f"{value:.3g}%" if self.percent else f"{value:,.0f}"


def tolerates(conditions: Iterable[Condition], summary: Summary) -> bool:
    """Whether every event that was not acked is of a sort that some condition judges."""
    judged = {condition.metric for condition in conditions}
    return "errors" in judged or all(name in judged or not getattr(summary, name) for name in NOT_ACKED)

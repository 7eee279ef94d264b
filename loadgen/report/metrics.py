"""What a report tells of every run, in the order in which it tells it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loadgen.report.run import Figures
from loadgen.results import Second


@dataclass(frozen=True)
class Metric:
    """``of_second`` is the same measure in one second, None if a comparison cannot be judged by it."""

    name: str
    unit: str
    of: Callable[[Figures], float | None]
    of_second: Callable[[Second], float] | None = None
    more_is_better: bool = False

    def text(self, value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:,.0f}" if isinstance(value, int) else f"{value:,.1f}" if value >= 100 else f"{value:,.2f}"


METRICS: Final = (
    Metric("sent", "events", lambda run: run.sent),
    Metric("acked", "events", lambda run: run.acked, more_is_better=True),
    Metric("rejected", "events", lambda run: run.rejected),
    Metric("failed", "events", lambda run: run.failed),
    Metric("unsent", "events", lambda run: run.unsent),
    Metric("late", "events", lambda run: run.late),
    Metric("time", "s", lambda run: run.seconds),
    Metric("rate", "events/s", lambda run: run.rate, lambda second: second.acked, more_is_better=True),
    Metric("p50", "ms", lambda run: run.p50, lambda second: second.latency_ms.p50),
    Metric("p90", "ms", lambda run: run.p90, lambda second: second.latency_ms.p90),
    Metric("p99", "ms", lambda run: run.p99, lambda second: second.latency_ms.p99),
    Metric("p99.9", "ms", lambda run: run.p999, lambda second: second.latency_ms.p999),
    Metric("max", "ms", lambda run: run.max),
)

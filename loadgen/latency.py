"""Latencies in a high dynamic range histogram: three significant digits, from 10 µs to an hour."""

import msgspec
from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]

LONGEST_US = 3_600_000_000
GRAIN_NS = 10_000


class Percentiles(msgspec.Struct, frozen=True):
    """Latencies in ms; all 0 if there were none."""

    p50: float = 0
    p90: float = 0
    p99: float = 0
    p999: float = 0
    max: float = 0


class Latencies:
    """What was measured; recorded in ns, told in ms."""

    def __init__(self) -> None:
        self.histogram = HdrHistogram(1, LONGEST_US, 3)
        self._waiting: dict[int, int] = {}

    def record(self, latency_ns: int) -> None:
        # The histogram is pure Python and takes 4 µs a value; equal values, counted first, go in as one.
        grains = latency_ns // GRAIN_NS
        self._waiting[grains] = self._waiting.get(grains, 0) + 1

    def add(self, other: "Latencies") -> None:
        other.settle()
        self.histogram.add(other.histogram)

    def percentiles(self) -> Percentiles:
        self.settle()
        if not self.histogram.get_total_count():
            return Percentiles()
        at = self.histogram.get_percentile_to_value_dict([50, 90, 99, 99.9, 100])
        return Percentiles(*(at[percent] / 1000 for percent in (50, 90, 99, 99.9, 100)))

    def settle(self) -> None:
        """Move what was recorded into the histogram."""
        for grains, count in self._waiting.items():
            latency_us = grains * GRAIN_NS // 1000
            self.histogram.record_value(min(max(latency_us, 1), LONGEST_US), count)
        self._waiting.clear()

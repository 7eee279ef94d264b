"""Latencies in a high dynamic range histogram: three significant digits, from 10 µs to an hour."""

import zlib
from typing import Self

import msgspec
from hdrh.codec import HdrCookieException, HdrLengthException  # type: ignore[import-untyped]
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


class BadHistogramError(ValueError):
    """The text is no encoded histogram; it says why."""


class Latencies:
    """What was measured; recorded in ns, told in ms, encoded in the format that all HDR histogram libraries share."""

    def __init__(self) -> None:
        self.histogram = HdrHistogram(1, LONGEST_US, 3)
        self._waiting: dict[int, int] = {}

    @classmethod
    def decode(cls, text: str) -> Self:
        """What ``encode`` gave; raises BadHistogramError."""
        latencies = cls()
        try:
            latencies.histogram.decode_and_add(text)
        except (ValueError, IndexError, zlib.error, HdrCookieException, HdrLengthException) as error:
            raise BadHistogramError(f"no HDR histogram: {error}") from error
        return latencies

    def encode(self) -> str:
        """The V2 format of HDR histograms in base64; its values are µs."""
        self.settle()
        encoded: bytes = self.histogram.encode()
        return encoded.decode("ascii")

    @property
    def count(self) -> int:
        self.settle()
        count: int = self.histogram.get_total_count()
        return count

    def record(self, latency_ns: int) -> None:
        # The histogram is pure Python and takes 4 µs a value; equal values, counted first, go in as one.
        grains = latency_ns // GRAIN_NS
        self._waiting[grains] = self._waiting.get(grains, 0) + 1

    def add(self, other: "Latencies") -> None:
        other.settle()
        self.histogram.add(other.histogram)

    def percentiles(self) -> Percentiles:
        if not self.count:
            return Percentiles()
        at = self.histogram.get_percentile_to_value_dict([50, 90, 99, 99.9, 100])
        return Percentiles(*(at[percent] / 1000 for percent in (50, 90, 99, 99.9, 100)))

    def curve(self, ticks_per_half_distance: int) -> list[tuple[float, float]]:
        """(percentile, ms), so many of them between any percentile and half its distance to 100."""
        self.settle()
        steps = self.histogram.get_percentile_iterator(ticks_per_half_distance)
        return [(step.percentile_level_iterated_to, step.value_iterated_to / 1000) for step in steps]

    def settle(self) -> None:
        """Move what was recorded into the histogram."""
        for grains, count in self._waiting.items():
            latency_us = grains * GRAIN_NS // 1000
            self.histogram.record_value(min(max(latency_us, 1), LONGEST_US), count)
        self._waiting.clear()

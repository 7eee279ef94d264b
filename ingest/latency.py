"""How long things take: a histogram that never forgets, and the percentiles of the last minute.

InfluxQL cannot draw a percentile from a histogram's buckets, so the dashboards read these.
"""

import math
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

QUANTILES = (0.5, 0.9, 0.99)
# A minute of a busy service is more than anyone needs sorted at every scrape.
_MAX_OBSERVATIONS = 10_000
_WINDOW_SECONDS = 60.0


class Latency(Collector):
    """Counts each observation in a histogram, ``name_seconds``, and collects percentiles as ``name_recent_seconds``.

    They are exact for the newest 10 000 observations of the last minute; without any there is no value. One thread at a
    time may use it.
    """

    def __init__(
        self, name: str, help_text: str, buckets: Sequence[float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._help_text = help_text
        self._bounds = [*buckets, math.inf]
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
        self._clock = clock
        self._recent: deque[tuple[float, float]] = deque(maxlen=_MAX_OBSERVATIONS)

    def observe(self, seconds: float, times: int = 1) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum += seconds * times
        self._recent.extend([(self._clock(), seconds)] * times)

    def collect(self) -> Iterator[Metric]:
        yield self._histogram()
        yield self._percentiles()

    def _histogram(self) -> Metric:
        bounds = map(floatToGoString, self._bounds)
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(f"{self._name}_seconds", self._help_text, buckets=buckets, sum_value=self._sum)

    def _percentiles(self) -> Metric:
        oldest = self._clock() - _WINDOW_SECONDS
        ordered = sorted(seconds for at, seconds in list(self._recent) if at >= oldest)
        family = GaugeMetricFamily(
            f"{self._name}_recent_seconds",
            "Percentiles of the last minute's newest 10 000 observations",
            labels=["quantile"],
        )
        for quantile in QUANTILES if ordered else ():
            # The nearest rank: a value that was observed, never one between two.
            family.add_metric([f"{quantile:g}"], ordered[math.ceil(quantile * len(ordered)) - 1])
        return family

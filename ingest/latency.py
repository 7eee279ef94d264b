"""How long things take: a histogram that never forgets, and the percentiles of the last minute.

InfluxQL cannot draw a percentile from a histogram's buckets, so the dashboards read these.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

QUANTILES = (0.5, 0.9, 0.99)
# A minute of a busy service is more than anyone needs sorted at every scrape.
_MAX_OBSERVATIONS = 10_000
_WINDOW_SECONDS = 60.0


class Latency(Collector):
    """Counts each observation in ``histogram`` and collects, as gauges named ``recent_name``, percentiles.

    They are exact for the newest 10 000 observations of the last minute; without any there is no value.
    """

    def __init__(self, histogram: Histogram, recent_name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._histogram = histogram
        self._name = recent_name
        self._clock = clock
        self._recent: deque[tuple[float, float]] = deque(maxlen=_MAX_OBSERVATIONS)

    def observe(self, seconds: float) -> None:
        self._histogram.observe(seconds)
        self._recent.append((self._clock(), seconds))

    def collect(self) -> Iterator[Metric]:
        oldest = self._clock() - _WINDOW_SECONDS
        ordered = sorted(seconds for at, seconds in list(self._recent) if at >= oldest)
        family = GaugeMetricFamily(
            self._name, "Percentiles of the last minute's newest 10 000 observations", labels=["quantile"]
        )
        for quantile in QUANTILES if ordered else ():
            # The nearest rank: a value that was observed, never one between two.
            family.add_metric([f"{quantile:g}"], ordered[math.ceil(quantile * len(ordered)) - 1])
        yield family

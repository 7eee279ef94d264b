import random
import statistics

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from ingest.latency import QUANTILES, Latency
from ingest.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def latency(clock: Clock) -> Latency:
    return Latency("x", "x", (0.1, 1.0), clock)


def percentiles(of: Latency) -> dict[str, float]:
    _, family = of.collect()
    return {sample.labels["quantile"]: sample.value for sample in family.samples}


def test_without_an_observation_there_is_no_value() -> None:
    assert percentiles(latency(Clock())) == {}


def test_a_single_observation_is_every_percentile() -> None:
    one = latency(Clock())
    one.observe(0.25)
    assert percentiles(one) == {"0.5": 0.25, "0.9": 0.25, "0.99": 0.25}


def test_what_was_observed_many_times_counts_as_often() -> None:
    at_once, one_by_one = latency(Clock()), latency(Clock())
    for seconds, times in ((0.25, 3), (0.5, 1)):
        at_once.observe(seconds, times)
        for _ in range(times):
            one_by_one.observe(seconds)
    assert [family.samples for family in at_once.collect()] == [family.samples for family in one_by_one.collect()]


def test_percentiles_are_exact_whatever_the_order() -> None:
    many = latency(Clock())
    values = [number / 1000 for number in range(1, 1001)]
    for value in random.sample(values, len(values)):
        many.observe(value)
    assert percentiles(many) == {"0.5": 0.5, "0.9": 0.9, "0.99": 0.99}


def test_percentiles_agree_with_the_standard_library_to_one_rank() -> None:
    many, source = latency(Clock()), random.Random(4)
    values = [source.lognormvariate(-6, 1) for _ in range(997)]
    for value in values:
        many.observe(value)
    ranked, cuts = sorted(values), statistics.quantiles(values, n=100, method="inclusive")
    for quantile in QUANTILES:
        mine, theirs = percentiles(many)[f"{quantile:g}"], cuts[round(quantile * 100) - 1]
        place = ranked.index(mine)
        assert ranked[place - 1] <= theirs <= ranked[place + 1], f"{quantile}: {mine} against {theirs}"


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    clock = Clock()
    aging = latency(clock)
    aging.observe(9.0)
    clock.now = 59.0
    aging.observe(1.0)
    assert percentiles(aging)["0.99"] == 9.0
    clock.now = 61.0
    assert percentiles(aging)["0.99"] == 1.0
    clock.now = 120.0
    assert percentiles(aging) == {}


def test_only_the_newest_ten_thousand_are_kept() -> None:
    full = latency(Clock())
    for _ in range(5_000):
        full.observe(9.0)
    for _ in range(10_000):
        full.observe(1.0)
    assert percentiles(full)["0.99"] == 1.0


def test_the_service_shows_both_the_histogram_and_the_percentiles() -> None:
    metrics = Metrics()
    metrics.ack_seconds.observe(0.004)
    metrics.write_seconds.observe(0.02)
    shown = metrics.exposition().decode()
    for line in (
        "ingest_ack_seconds_count 1.0",
        'ingest_ack_recent_seconds{quantile="0.99"} 0.004',
        'ingest_store_write_recent_seconds{quantile="0.5"} 0.02',
    ):
        assert line in shown.splitlines(), shown


@pytest.mark.parametrize("observations", [[], [0.1], [0.0999, 0.1, 0.1001, 1.0, 5.0, 0.0]])
def test_the_histogram_is_what_the_library_would_show(observations: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    latency = Latency("x", "How long", (0.1, 1.0))
    ours.register(latency)
    histogram = Histogram("x_seconds", "How long", buckets=(0.1, 1.0), registry=theirs)
    for seconds in observations:
        latency.observe(seconds)
        histogram.observe(seconds)
    shown = [line for line in generate_latest(ours).decode().splitlines() if "_recent_" not in line]
    assert shown == [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]

"""The metrics of several processes, shown as those of one."""

import re

from prometheus_client import generate_latest

from ingest.metrics import Metrics
from ingest.workers.families import Collected, Family, families_of, growing, together


def families(acked: int, seconds: float, **gauges: float) -> list[Family]:
    metrics = Metrics()
    metrics.accepted.inc(acked)
    metrics.rejected.labels("timestamp_too_old").inc(acked + 1)
    metrics.ack_seconds.observe(seconds)
    metrics.watch(lambda: gauges)
    return families_of(metrics.collect())


def shown(several: list[list[Family]]) -> dict[str, float]:
    text = generate_latest(Collected(together(several))).decode()
    return {name: float(value) for name, value in re.findall(r"^([^#\s]+) (\S+)$", text, re.MULTILINE)}


def test_counters_histograms_and_what_waits_add_up_and_of_ages_the_highest_is_shown() -> None:
    one = families(2, 0.0005, spool_points=5, spool_oldest_age_seconds=3, series=10)
    two = families(3, 0.3, spool_points=7, spool_oldest_age_seconds=1, series=12)
    found = shown([one, two])
    assert found["ingest_events_accepted_total"] == 5
    assert found['ingest_events_rejected_total{reason="timestamp_too_old"}'] == 7
    assert found["ingest_ack_seconds_count"] == 2
    assert found['ingest_ack_seconds_bucket{le="0.001"}'] == 1
    assert found['ingest_ack_seconds_bucket{le="0.5"}'] == 2
    assert found['ingest_ack_seconds_bucket{le="+Inf"}'] == 2
    assert found["ingest_spool_points"] == 12
    assert found["ingest_spool_oldest_age_seconds"] == 3
    assert found["ingest_series"] == 12
    assert found['ingest_ack_recent_seconds{quantile="0.99"}'] == 0.3


def test_one_process_is_shown_as_it_shows_itself() -> None:
    metrics = Metrics()
    metrics.rejected.labels('a "quoted" reason').inc()
    metrics.ack_seconds.observe(0.2)
    metrics.watch(lambda: {"spool_points": 3})
    assert generate_latest(Collected(together([families_of(metrics.collect())]))) == metrics.exposition()


def test_what_has_ended_counts_on_and_waits_no_more() -> None:
    found = shown([growing(families(2, 0.1, spool_points=5)), families(1, 0.1, spool_points=1)])
    assert found["ingest_events_accepted_total"] == 3
    assert found["ingest_ack_seconds_count"] == 2
    assert found["ingest_spool_points"] == 1

import pytest

from benchmarks.bench import Bench
from benchmarks.events import Events
from benchmarks.job import Sent
from benchmarks.rounds import Rounds, Run
from benchmarks.stored import fresh_bucket
from tools.influx_server import call


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    rounds = Rounds({"a": [_run(100, 1.0), _run(100, 4.0), _run(100, 2.0)], "b": [_run(100, 2.0)] * 3})
    assert rounds.ratio("a", "b", lambda run: run.rate) == pytest.approx(1.0)
    assert rounds.median("a", lambda run: run.rate) == 50


@pytest.mark.parametrize("counted", [99, 101])
def test_a_wrong_count_says_so(counted: int) -> None:
    (row,) = Rounds({"a": [_run(100, 1.0), _run(counted, 1.0)]}).wrong()
    assert row.met is False
    assert row.measured == f"WRONG: {counted} of 100 are in InfluxDB"
    assert row.what == "a, round 2"


def test_a_bucket_counts_both_fields(bench: Bench) -> None:
    with fresh_bucket(bench.influx, "both-fields") as bucket:
        lines = "".join(map(Events().line, range(500))).encode()
        call(bench.influx, "POST", "/api/v2/write", lines, {"org": bench.influx.org, "bucket": bucket.name})
        ended, counted = bucket.wait_for(500)
    assert ended > 0
    assert counted == 500


def _run(counted: int, seconds: float) -> Run:
    return Run(Sent(100, 1, 0, 0.0, seconds, 0.0, 1.0, 1.0, 1.0, 0.0), seconds, counted, 1.0, 1.0)

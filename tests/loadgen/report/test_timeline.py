from pathlib import Path

import pytest

from loadgen.plan import Stage
from loadgen.report.run import load
from loadgen.report.timeline import curve, timeline
from tests.loadgen.report.recorded import recorded

CASES = Path(__file__).parents[1] / "cases"


def test_every_second_is_a_point_and_silence_a_gap(tmp_path: Path) -> None:
    drawn = timeline(recorded(tmp_path / "run.jsonl", [[1.0, 3.0], [], [7.0]], failed={1: "HTTP 500"}))
    assert (drawn.at, drawn.acked, drawn.failed) == ([0, 1, 2], [2, 0, 1], [0, 1, 0])
    assert drawn.planned == [5, 5, 5]
    assert drawn.max[0] == pytest.approx(3, rel=0.01)
    assert drawn.max[1] is None


def test_a_long_run_is_drawn_with_its_mean_rates_and_its_worst_latencies(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.jsonl", [[float(second + 1)] * (second + 1) for second in range(10)])
    drawn = timeline(run, most_points=4)
    assert (drawn.step_seconds, drawn.at) == (3, [0, 3, 6, 9])
    assert (drawn.acked, drawn.planned) == ([2, 5, 8, 10], [5, 5, 5, 5])
    assert drawn.p50 == [pytest.approx(ms, rel=0.01) for ms in (3, 6, 9, 10)]


def test_the_planned_rate_is_that_of_all_processes_and_follows_its_stages(tmp_path: Path) -> None:
    stages = (Stage(10, 10, 2), Stage(10, 0, 2))
    drawn = timeline(recorded(tmp_path / "run.jsonl", [[1.0]] * 5, stages=stages, processes=2))
    assert drawn.planned == [10, 10, 8, 2, 0]


def test_without_a_rate_nothing_is_planned(tmp_path: Path) -> None:
    assert timeline(recorded(tmp_path / "run.jsonl", [[1.0]], rate=0.0)).planned == []


def test_the_percentile_curve_is_that_of_the_values(tmp_path: Path) -> None:
    values = [float(ms) for ms in range(1, 1001)]
    drawn = curve(recorded(tmp_path / "run.jsonl", [values]))
    for percentile, ms in zip(drawn.percentile, drawn.ms, strict=True):
        assert ms == pytest.approx(max(percentile * 10, 1), rel=0.01, abs=1.1), f"p{percentile}"
    assert (drawn.percentile[-1], drawn.one_in[-1]) == (100, 1000)
    assert drawn.one_in == sorted(drawn.one_in)


def test_without_a_histogram_the_curve_is_the_known_percentiles() -> None:
    drawn = curve(load([CASES / "before_histograms.jsonl"])[0])
    assert drawn.percentile == [50, 90, 99, 99.9]
    assert drawn.ms == [1.77, 2.181, 5.763, 5.763]


def test_of_an_unfinished_run_no_curve_is_known(tmp_path: Path) -> None:
    assert curve(recorded(tmp_path / "run.jsonl", [[1.0]], finished=False)).ms == []

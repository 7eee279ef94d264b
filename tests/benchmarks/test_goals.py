"""Every row of the goals with everything real and next to no events, so that `make bench` cannot rot."""

import pytest

from benchmarks.bench import Bench
from benchmarks.catalogue import GROUPS, Measurement

# test_main.py measures this one, by the command.
_MEASURED_THERE = "single_events"


@pytest.mark.parametrize(
    "measure",
    [each for each in GROUPS["goals"] if each.__name__ != _MEASURED_THERE],
    ids=lambda measure: measure.__name__,
)
def test_a_goal_is_measured(measure: Measurement, bench: Bench) -> None:
    rows = list(measure(bench))
    assert not [row for row in rows if "WRONG" in row.measured], rows
    goals = [row for row in rows if row.goal != "(reference)"]
    assert goals
    assert all(row.met is not None and row.value is not None and row.value > 0 for row in goals), rows

from argparse import ArgumentTypeError

import msgspec
import pytest

from loadgen.conditions import Condition, tolerates
from loadgen.latency import Percentiles
from loadgen.results import Summary

SUMMARY = Summary(
    sent=980,
    acked=970,
    rejected=4,
    failed=6,
    unsent=20,
    late=50,
    requests=98,
    seconds=1.0,
    latency_ms=Percentiles(p50=1.5, p90=9, p99=50, p999=70.25, max=99),
    errors={"HTTP 503": 6},
    rejections={"old": 4},
    interrupted=False,
)
ALL_WELL = msgspec.structs.replace(SUMMARY, acked=980, rejected=0, failed=0, unsent=0)


@pytest.mark.parametrize(
    ("condition", "holds", "measured"),
    [
        ("p50>1ms", True, "1.5 ms"),
        ("p50>1.5ms", False, "1.5 ms"),
        ("p50>=1.5ms", True, "1.5 ms"),
        ("p90<10ms", True, "9.0 ms"),
        ("p99>50ms", False, "50.0 ms"),
        ("p99.9 <= 0.07s", False, "70.2 ms"),
        (" max > 98ms ", True, "99.0 ms"),
        ("errors>29", True, "30"),
        ("errors>30", False, "30"),
        ("errors>=3%", True, "3%"),
        ("failed>0.6%", False, "0.6%"),
        ("failed>0.59%", True, "0.6%"),
        ("rejected<5", True, "4"),
        ("unsent>0", True, "20"),
        ("late>5%", False, "5%"),
        ("rate<970.5", True, "970.0 events/s"),
        ("rate<970", False, "970.0 events/s"),
    ],
)
def test_a_condition_is_judged_by_the_summary(condition: str, holds: bool, measured: str) -> None:
    outcome = Condition.parse(condition).judge(SUMMARY)
    assert (outcome.holds, outcome.measured) == (holds, measured)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("p99", "write one like 'p99>50ms'"),
        ("p99=50ms", "write one like 'p99>50ms'"),
        ("", "write one like 'p99>50ms'"),
        ("p99>50", "write it like 500ms"),
        ("p95>50ms", "there are p50, p90, p99, p99.9, max, errors, failed"),
        ("failed>few", "write for example failed>0 or failed>0.1%"),
        ("failed>50ms", "write for example failed>0 or failed>0.1%"),
        ("rate<99%", "write for example rate<990"),
        ("errors>-1", "write for example errors>0"),
    ],
)
def test_what_is_no_condition_is_refused_with_one_that_works(text: str, way_out: str) -> None:
    with pytest.raises(ArgumentTypeError, match=way_out):
        Condition.parse(text)


@pytest.mark.parametrize("condition", ["p99>50ms", "p99<50ms"])
def test_a_latency_that_nobody_measured_is_a_failure(condition: str) -> None:
    silent = msgspec.structs.replace(SUMMARY, acked=0, rejected=0, failed=980, latency_ms=Percentiles())
    outcome = Condition.parse(condition).judge(silent)
    assert outcome.holds, outcome


@pytest.mark.parametrize(
    ("conditions", "tolerated"),
    [
        ([], False),
        (["p99>50ms"], False),
        (["failed>10%"], False),
        (["failed>10%", "rejected>10", "unsent>100"], True),
        (["errors>10%"], True),
    ],
)
def test_events_not_acked_are_tolerated_only_where_a_condition_judges_them(
    conditions: list[str], tolerated: bool
) -> None:
    parsed = [Condition.parse(text) for text in conditions]
    assert tolerates(parsed, SUMMARY) is tolerated
    assert tolerates(parsed, ALL_WELL)

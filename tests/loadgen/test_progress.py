import io
from typing import Any

import pytest
from rich.console import Console

from loadgen.latency import Percentiles
from loadgen.plan import Plan, Stage
from loadgen.progress import reporter
from loadgen.results import Second

PLAN = Plan(url="", start_ms=0, rate=1000, duration_seconds=60)


def second(number: int) -> Second:
    return Second(
        second=number,
        sent=1000,
        acked=900,
        rejected=50,
        failed=50,
        unsent=0,
        in_flight=7,
        next_request=0,
        latency_ms=Percentiles(p50=1.25, p99=12.34),
        answered_requests=[],
        rejected_events=[],
    )


def shown(plan: Plan = PLAN, *, terminal: bool, seconds: int, quiet: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
    with reporter(plan, console, quiet=quiet) as reporting:
        for number in range(seconds):
            reporting.report(second(number))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_gets_one_line_every_ten_seconds() -> None:
    lines = shown(terminal=False, seconds=25).splitlines()
    assert lines == [
        "0:10: 900/s, p50 1.2 ms, p99 12.3 ms, 7 in flight, 1,000 errors, 9,000 acked, 0:50 left",
        "0:20: 900/s, p50 1.2 ms, p99 12.3 ms, 7 in flight, 2,000 errors, 18,000 acked, 0:40 left",
    ]


def test_a_terminal_of_80_columns_shows_everything_every_second() -> None:
    text = shown(terminal=True, seconds=2)
    assert "starting" in text
    assert "0:02, 0:58 left, 1,800 acked" in text
    assert "900/s, p50 1.2 ms, p99 12.3 ms, 7 in flight, 200 errors" in text


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"rate": 1000, "duration_seconds": 60}, "0:40 left"),
        ({"rate": 1000, "duration_seconds": 7200}, "1:59:40 left"),
        ({"rate": 1000, "events": 30_000}, "0:10 left"),
        ({"rate": 1000, "duration_seconds": 60, "processes": 7}, "0:40 left"),
        ({"stages": (Stage(0, 500, 20), Stage(500, 500, 10))}, "0:10 left"),
        ({"rate": 0, "duration_seconds": 60}, "0:40 left"),
        ({"rate": 0, "events": 80_000}, "1:00 left"),
        ({"rate": 1000, "duration_seconds": 20}, "waiting for answers"),
        ({"rate": 1000}, "until Ctrl-C"),
    ],
)
def test_the_time_left_is_that_of_the_plan_or_of_the_speed(settings: dict[str, Any], left: str) -> None:
    # By then 20 s are over and 20 000 events done.
    lines = shown(Plan(url="", start_ms=0, **settings), terminal=False, seconds=25).splitlines()
    assert lines[1].endswith(f", {left}")


def test_quiet_is_quiet() -> None:
    assert shown(terminal=True, seconds=25, quiet=True) == ""

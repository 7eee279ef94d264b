import io

from rich.console import Console

from loadgen.latency import Percentiles
from loadgen.plan import Plan
from loadgen.progress import reporter
from loadgen.results import Second

PLAN = Plan(url="", start_ms=0, events=100_000)


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
        latency_ms=Percentiles(p99=12.34),
        answered_requests=[],
        rejected_events=[],
    )


def shown(*, terminal: bool, seconds: int, quiet: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
    with reporter(PLAN, console, quiet=quiet) as reporting:
        for number in range(seconds):
            reporting.report(second(number))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_gets_one_line_every_ten_seconds() -> None:
    lines = shown(terminal=False, seconds=25).splitlines()
    assert lines == [
        "10 s: 900/s, 9,000 acked, 7 in flight, 1,000 not acked, p99 12.3 ms",
        "20 s: 900/s, 18,000 acked, 7 in flight, 2,000 not acked, p99 12.3 ms",
    ]


def test_a_terminal_of_80_columns_shows_everything_every_second() -> None:
    text = shown(terminal=True, seconds=2)
    assert "900/s, 1,800 acked, 7 in flight, 200 not acked, p99 12.3 ms" in text


def test_quiet_is_quiet() -> None:
    assert shown(terminal=True, seconds=25, quiet=True) == ""

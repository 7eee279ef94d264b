import io
from pathlib import Path

from rich.console import Console

from loadgen.report import table
from loadgen.report.report import Report
from loadgen.report.run import load
from tests.loadgen.report.recorded import record

FAST, SLOW = [[1.0, 2.0]] * 8, [[4.0, 1500.0]] * 8


def shown(report: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    table.show(console, report)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    wide = [line for line in text.splitlines() if len(line) > width]
    assert not wide, f"wider than {width}: {wide}"
    return text


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return line.removeprefix(name).split()


def test_one_run_has_every_figure(tmp_path: Path) -> None:
    text = shown(Report.of(load([record(tmp_path / "run.jsonl", FAST, failed={0: "HTTP 500"}, unsent=3)])))
    assert row(text, "sent") == ["17"]
    assert row(text, "unsent") == ["3"]
    assert row(text, "max ms") == ["2.00"]
    assert "run: 1 failed: HTTP 500" in text
    assert "note: run: 3 events were given up unsent" in text


def test_two_runs_are_compared_in_words(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"{name}.jsonl", run) for name, run in (("fast", FAST), ("slow", SLOW))]
    text = shown(Report.of(load(paths)))
    assert row(text, "p50 ms") == ["1.00", "4.00", "×4", "worse"]
    assert row(text, "rate events/s") == ["2.00", "2.00", "same"]
    assert row(text, "max ms") == ["2.00", "1,500.2", "×750"]
    assert "Compared with fast." in text


def test_many_runs_fit_the_terminal_beside_the_first(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"run-number-{number}.jsonl", FAST) for number in range(6)]
    text = shown(Report.of(load(paths)))
    for path in paths:
        assert path.stem in text, text
    assert text.count("run-number-0 ") > 1, "the first stands in every table"


def test_a_name_longer_than_the_terminal_is_folded(tmp_path: Path) -> None:
    shown(Report.of(load([record(tmp_path / f"{'long' * 20}{number}.jsonl", FAST) for number in range(2)])), width=60)


def test_markup_in_a_name_or_a_reason_is_text(tmp_path: Path) -> None:
    path = record(tmp_path / "[red]run.jsonl", FAST, failed={0: "[link=x]no[/link]"})
    text = shown(Report.of(load([path])))
    assert "[red]run" in text
    assert "[link=x]no[/link]" in text


def test_an_unfinished_run_is_said_to_be_one(tmp_path: Path) -> None:
    text = shown(Report.of(load([record(tmp_path / "run.jsonl", FAST, finished=False)])))
    assert row(text, "p99 ms") == ["–"]
    assert "not finished, it has no summary: the counts are of the 8 whole" in text

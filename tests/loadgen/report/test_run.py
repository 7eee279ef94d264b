from pathlib import Path

import msgspec
import pytest

from loadgen.report.run import load
from loadgen.results import UnreadableError
from tests.loadgen.report.recorded import record, recorded

SECONDS = [[1.0, 2.0, 3.0], [4.0, 50.0]]


def test_a_finished_run_is_told_from_its_summary(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.jsonl", SECONDS, failed={1: "HTTP 500"}, unsent=2)
    figures = run.figures
    assert (figures.sent, figures.acked, figures.failed, figures.unsent, figures.late) == (6, 5, 1, 2, 1)
    assert (figures.seconds, figures.rate) == (2.0, 2.5)
    assert figures.p50 == pytest.approx(3, rel=0.01)
    assert figures.max == pytest.approx(50, rel=0.01)


def test_an_unfinished_run_is_told_from_its_seconds_and_does_not_guess(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.jsonl", SECONDS, failed={1: "HTTP 500"}, finished=False)
    figures = run.figures
    assert (figures.sent, figures.acked, figures.failed, figures.rate) == (6, 5, 1, 2.5)
    assert figures.max == pytest.approx(50, rel=0.01)
    assert (figures.p50, figures.p999, figures.late, run.latencies) == (None, None, None, None)


def test_a_run_without_answers_has_no_latency(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.jsonl", [[]], failed={0: "connection refused"})
    assert (run.figures.failed, run.figures.p50, run.figures.max) == (1, None, None)


def test_a_run_that_crashed_at_once_is_told_as_well(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.jsonl", [], finished=False)
    assert (run.figures.sent, run.figures.rate, run.figures.max) == (0, 0, None)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.jsonl", "b.jsonl"], ["a", "b"]),
        (["old/run.jsonl", "new/run.jsonl"], ["old/run.jsonl", "new/run.jsonl"]),
        (["a.jsonl", "a.jsonl"], ["a.jsonl", "a.jsonl #2"]),
    ],
)
def test_names_are_short_and_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], names: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in paths:
        Path(path).parent.mkdir(exist_ok=True)
        record(Path(path), SECONDS)
    assert [run.name for run in load([Path(path) for path in paths])] == names


def test_a_damaged_histogram_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = record(tmp_path / "run.jsonl", SECONDS)
    *lines, last = path.read_bytes().splitlines()
    summary = msgspec.json.decode(last) | {"histogram": "rubbish!"}
    path.write_bytes(b"\n".join([*lines, msgspec.json.encode(summary), b""]))
    with pytest.raises(UnreadableError, match=r"run\.jsonl is damaged: its summary has no HDR histogram"):
        load([path])

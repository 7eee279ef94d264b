"""``loadgen report`` as it is typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.__main__ import main
from tests.loadgen.report.recorded import record

FAST, SLOW = [[1.0, 2.0]] * 8, [[4.0, 1500.0]] * 8


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return [str(record(tmp_path / f"{name}.jsonl", run)) for name, run in (("fast", FAST), ("slow", SLOW))]


def test_json_is_one_document_for_scripts(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--json", *files]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in report["runs"]] == ["fast", "slow"]
    assert (report["runs"][0]["finished"], report["runs"][0]["figures"]["acked"]) == (True, 16)
    (p50,) = [found for found in report["comparisons"][0]["differences"] if found["metric"] == "p50"]
    assert (p50["judgement"], p50["parts"]) == ("worse", 8), p50


def test_html_is_written_beside_the_table(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html = tmp_path / "report.html"
    assert main(["report", *files, "--html", str(html)]) == 0
    assert "worse" in capsys.readouterr().out
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl can't be read: No such file"),
        (["."], ". can't be read: Is a directory"),
        ([__file__], "is no results file of loadgen run"),
        ([], "See loadgen report --help"),
    ],
)
def test_what_is_no_run_is_refused_in_one_sentence(
    arguments: list[str], way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(["report", *arguments])
    except SystemExit as exit_:
        code = exit_.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert way_out in err
    assert len(err.splitlines()) == 1, err


def test_html_that_can_not_be_written_is_said(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *files, "--html", "/dev/null/report.html"]) == 2
    assert capsys.readouterr().err == (
        "loadgen report: /dev/null/report.html can't be written: Not a directory. Name another --html file\n"
    )


def test_a_reader_that_has_seen_enough_is_no_error(files: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run(
        [sys.executable, "-m", "loadgen", "report", *files],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    os.close(write_end)
    assert b"Traceback" not in process.stderr, process.stderr.decode()

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import catalogue


def test_groups_and_measurements_can_be_chosen() -> None:
    everything = catalogue.chosen([])
    assert len({measure.__name__ for measure in everything}) == len(everything)
    assert [measure.__name__ for measure in catalogue.chosen(["single_events", "batches"])] == [
        "batches",
        "single_events",
    ]
    assert set(catalogue.chosen(["goals"])) == set(catalogue.GROUPS["goals"])
    with pytest.raises(catalogue.UnknownMeasurementError, match="btaches"):
        catalogue.chosen(["btaches"])


def test_help_names_every_measurement_and_shows_examples() -> None:
    said = _run("--help").stdout
    assert all(measure.__name__ in said for measure in catalogue.chosen([]))
    assert "examples:" in said


def test_an_unknown_name_is_said_kindly() -> None:
    run = _run("btaches")
    assert run.returncode == 2
    assert (
        run.stderr == "python -m benchmarks: there is no measurement and no group btaches; --help shows what there is\n"
    )


def test_results_are_a_table_and_json(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    run = _run("single_events", "--rounds", "1", "--single-events", "300", "--json", str(results))
    assert run.returncode == 0, run.stderr
    read = json.loads(results.read_text())
    table = [line for line in run.stdout.splitlines() if line.startswith("| ")]
    assert len(table) == 1 + len(read["rows"]), run.stdout
    assert read["machine"] in run.stdout
    assert all(program in read["machine"] for program in ("Python", "InfluxDB", "Telegraf"))
    assert {row["measurement"] for row in read["rows"]} == {"single_events"}
    assert any(row["met"] is not None for row in read["rows"])


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

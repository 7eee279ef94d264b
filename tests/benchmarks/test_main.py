import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import catalogue
from benchmarks.__main__ import main
from tools.influx_server import INFLUXD


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


@pytest.mark.parametrize("option", ["--rounds", "--seconds", "--events", "--single-events", "--longest"])
@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_that_is_none_is_said_kindly(option: str, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"{option}={number}", "batches"])
    assert f"argument {option}: {number} is no number above 0" in capsys.readouterr().err


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


def test_a_measurement_that_fails_says_so_and_the_next_one_runs(tmp_path: Path) -> None:
    """Where InfluxDB was built, but no Telegraf."""
    (tmp_path / "pulso").mkdir()
    found = INFLUXD.find()
    assert found is not None
    (tmp_path / "pulso" / INFLUXD.cached().name).symlink_to(found)
    names = ("single_events", "seed_example", "--rounds", "1", "--single-events", "300")
    run = _run(*names, XDG_CACHE_HOME=str(tmp_path), PATH="")
    assert run.returncode == 1
    failed, *others = [line for line in run.stdout.splitlines() if line.startswith("| ")][1:]
    assert failed.startswith("| single_events | FAILED: no telegraf"), run.stdout
    assert "run `make tools`" in failed
    assert [line.split(" | ")[1] for line in others] == ["the six lines", "the six lines"], run.stdout


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=110)

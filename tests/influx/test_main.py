import os
import subprocess
import sys
from pathlib import Path

import pytest

from influx.__main__ import main
from tests.influx.place import Place
from tools.influx_server import InfluxServer


@pytest.fixture
def place(influx_server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(influx_server, tmp_path / "tokens")
    (tmp_path / "operator").write_text(influx_server.token)
    monkeypatch.setenv("INFLUXDB_URL", influx_server.url)
    monkeypatch.setenv("INFLUXDB_TOKEN_FILE", str(tmp_path / "operator"))
    monkeypatch.setenv("INFLUX_TOKENS_DIR", str(place.tokens_dir))
    monkeypatch.setenv("INFLUX_ORG", place.organization)
    return place


def test_apply_again_and_repair(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for arguments in (["--dry-run"], [], ["--dry-run"], []):
        assert main(["apply", *arguments]) == 0, capsys.readouterr()
        told.append(capsys.readouterr().out.splitlines())
    assert told[0][-1].startswith("11 would change, 1 unchanged"), told[0]
    assert told[1][-1] == "11 changed, 1 unchanged.", told[1]
    assert told[2][-1].startswith("0 would change, 12 unchanged"), told[2]
    assert told[3][-1] == "0 changed, 12 unchanged.", told[3]
    place.file("grafana").unlink()
    assert main(["apply"]) == 0
    assert "token grafana: replaced (its file is gone)" in capsys.readouterr().out


def test_a_file_for_other_readers_than_declared_is_replaced(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply"]) == 0
    capsys.readouterr()
    for told in ("token grafana: replaced (its file was not for the declared readers)", "token grafana: unchanged"):
        assert main(["apply", "--group", f"grafana={os.getgid()}"]) == 0
        assert told in capsys.readouterr().out.splitlines()
    assert oct(place.file("grafana").stat().st_mode) == oct(0o100640)
    assert oct(place.file("ingest").stat().st_mode) == oct(0o100600)


def test_no_secret_is_ever_told(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["apply"]) == 0
    lost = place.text("grafana")
    place.file("grafana").unlink()
    assert main(["apply"]) == 0
    assert main(["apply", "--token-file", str(place.file("grafana"))]) == 1
    told = "".join(capfd.readouterr())
    for name, text in [*place.files().items(), ("operator", place.server.token), ("lost", lost)]:
        assert text not in told, f"the token {name} was printed"


def test_what_was_done_before_a_failure_is_told(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = "b" * 70_000
    assert main(["apply", "--bucket", too_long]) == 1
    out, err = capsys.readouterr()
    assert out == f"organization {place.organization}: created\n", out
    assert f"bucket {too_long}: InfluxDB at" in err, err


def test_could_not_is_1_and_one_sentence(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply"]) == 0
    capsys.readouterr()
    assert main(["apply", "--retention", "30d"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "influx apply: A shorter retention deletes data (pulso from 0s): say --allow-shrink if that is wanted.\n"
    )


def test_as_a_program(unused_tcp_port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "influx", "apply", "--url", f"http://127.0.0.1:{unused_tcp_port}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("INFLUX")}
    ended = subprocess.run(
        command, check=False, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (1, ""), ended
    assert ended.stderr.startswith("influx apply: No InfluxDB answers at http://127.0.0.1:"), ended
    assert "Traceback" not in ended.stderr

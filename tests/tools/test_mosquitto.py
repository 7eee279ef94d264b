from pathlib import Path

import pytest

from tools import mosquitto


def test_make_tools_has_installed_broker_and_client() -> None:
    for program in ("mosquitto", "mosquitto_pub"):
        assert mosquitto.find(program) is not None, f"no {program}: run `make tools`"


def test_where_nothing_may_be_installed_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mosquitto, "_ALSO_IN", ())
    assert mosquitto.ensure() == 1
    assert capsys.readouterr().err == (
        "not found: mosquitto mosquitto_pub."
        " Install your system's packages mosquitto and mosquitto-clients, version 2.\n"
    )

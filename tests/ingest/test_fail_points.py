"""Fail points: off unless asked for by a name that no setting has, and then not to be overlooked."""

import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.fail_points import VARIABLE, Point, chosen, never
from tests.faults.service import Service


def test_without_the_variable_nothing_is_on() -> None:
    assert chosen({}) is never


@pytest.mark.parametrize("text", ["", "nowhere", "before-ack:x", "before-ack:-1", "BEFORE_ACK"])
def test_what_is_no_point_starts_nothing(tmp_path: Path, text: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "ingest", "serve", "--port", "0", "--data-dir", str(tmp_path / "data")],
        env=os.environ | {VARIABLE: text},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == f"ingest: {VARIABLE}: {text!r} is no fail point; this variable is for tests only\n"
    assert not (tmp_path / "data").exists()


def test_it_is_no_setting() -> None:
    assert not VARIABLE.startswith("INGEST_")


def test_a_point_that_is_on_is_said_and_then_kills_the_nth_time(tmp_path: Path) -> None:
    service = Service(tmp_path)
    try:
        service.start(**{VARIABLE: f"{Point.BEFORE_ACK.value}:2"})
        said = service.log[0]
        assert (said["event"], said["level"], said["point"]) == ("fail_point_on", "warning", "before-ack")
        event = {"timestamp": 1_539_112_021_301, "tag": "brasil.sul.s1", "valor": "1"}
        assert service.post(event) == 1
        with pytest.raises(http.client.RemoteDisconnected):
            service.post(event)
        assert service.ended() == -signal.SIGKILL
        assert service.log[-1]["event"] == "fail_point_reached"
    finally:
        service.end()

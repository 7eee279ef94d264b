"""The service as a process of its own: started, stopped, killed, started again."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.settings import declared
from tests.faults.service import Service, influx_options, served
from tools.influx_server import InfluxServer

START_MS = 1_539_112_021_301


def event(number: int) -> dict[str, Any]:
    return {"timestamp": START_MS + number, "tag": f"brasil.sul.s{number % 5}", "valor": str(number)}


@pytest.fixture(params=["embedded", "influx"])
def options(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    if request.param == "embedded":
        return []
    server: InfluxServer = request.getfixturevalue("influx_server")
    monkeypatch.setenv("INGEST_INFLUX_TOKEN", server.token)
    return influx_options(server, request.getfixturevalue("influx_bucket"))


def wait_until_counted(process: Service, expected: int) -> int:
    deadline = time.monotonic() + 20
    while (counted := process.counted()) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return counted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_service_ends_cleanly_and_has_everything_when_it_starts_again(
    tmp_path: Path, options: Sequence[str], number: signal.Signals
) -> None:
    with served(tmp_path, *options) as process:
        assert process.post(*(event(i) for i in range(100))) == 100
        assert process.stop(number) == 0
        assert [entry["event"] for entry in process.log] == ["listening", "stopping", "stopped"]
    with served(tmp_path, *options) as process:
        assert wait_until_counted(process, 100) == 100


def test_a_killed_service_has_everything_it_acked_when_it_starts_again(tmp_path: Path, options: Sequence[str]) -> None:
    acked = 0
    for _ in range(3):
        with served(tmp_path, *options) as process:
            for _ in range(30):
                acked += process.post(event(acked))
            process.stop(signal.SIGKILL)
    with served(tmp_path, *options) as process:
        assert wait_until_counted(process, acked) == acked == 90


def test_sigterm_under_load_loses_nothing_that_was_acked(tmp_path: Path, options: Sequence[str]) -> None:
    acked: list[int] = []

    def send(first: int) -> None:
        number = first
        while True:
            try:
                process.post(event(number))
            except (urllib.error.URLError, OSError):
                return
            acked.append(number)
            number += 10

    with served(tmp_path, *options) as process:
        senders = [threading.Thread(target=send, args=(first,)) for first in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(0.5)
        started = time.monotonic()
        assert process.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10
        for sender in senders:
            sender.join()
    with served(tmp_path, *options) as process:
        assert wait_until_counted(process, len(acked)) >= len(acked) > 0


def test_a_stop_does_not_wait_for_an_influxdb_that_is_away(tmp_path: Path) -> None:
    away = influx_options(InfluxServer("http://127.0.0.1:9"), "none")
    with served(tmp_path, *away, INGEST_INFLUX_TOKEN="t") as process:
        process.post(event(1))
        started = time.monotonic()
        assert process.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10


def test_a_second_service_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with served(tmp_path):
        second = run("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert second.returncode == 1
    assert second.stderr.startswith("ingest: data_dir: another ingest runs on")


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with served(tmp_path / "a") as process:
        port = process.url.rpartition(":")[2]
        second = run("serve", "--port", port, "--data-dir", str(tmp_path / "b"))
    assert second.returncode == 1
    assert re.fullmatch(r"ingest: .*[Aa]ddress already in use.*\n", second.stderr), second.stderr


def test_configuration_errors_come_all_at_once_before_anything_starts(tmp_path: Path) -> None:
    result = run(
        "serve", "--port", "x", "--store", "paper", "--data-dir", str(tmp_path / "data"), INGEST_GRACE_SECONDS="-1"
    )
    assert result.returncode == 2
    assert {line.split(": ")[1] for line in result.stderr.splitlines()} == {"--port", "--store", "INGEST_GRACE_SECONDS"}
    assert not (tmp_path / "data").exists()


def test_help_names_every_option_and_its_variable() -> None:
    text = run("serve", "--help", COLUMNS="500").stdout
    for setting in declared():
        assert setting.option in text
        assert setting.variable in text


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        env=os.environ | variables,
        check=False,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_service_that_others_reach_needs_tokens_or_a_word(tmp_path: Path, host: str) -> None:
    result = run("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--host", host)
    assert result.returncode == 2
    assert re.fullmatch(r"ingest: host: .*INGEST_TOKENS_FILE.*127\.0\.0\.1.*--allow-anonymous\n", result.stderr)
    assert not (tmp_path / "data").exists()


def test_a_host_that_has_no_address_is_not_told_of_tokens(tmp_path: Path) -> None:
    result = run("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--host", "nowhere.invalid")
    assert (result.returncode, result.stderr) == (
        2,
        "ingest: host: 'nowhere.invalid' does not resolve to an address of this machine\n",
    )


def test_tokens_or_a_word_open_a_service_to_others(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("sender:write:0123456789abcdef\n")
    for options in (["--allow-anonymous"], ["--allow-anonymous", "yes"], ["--tokens-file", str(tokens)]):
        with served(tmp_path / "data", "--host", "0.0.0.0", *options) as process:
            assert process.stop(signal.SIGTERM) == 0

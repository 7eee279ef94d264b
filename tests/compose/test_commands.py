"""The command lines and health checks of docker-compose.yml, given to the programs they are for."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

import influx.__main__
import loadgen.cli
from ingest.settings import Settings, declared
from loadgen.server import application
from tests.compose.project import Project
from tests.ingest.service import serving, unreachable_influx_settings
from tools.influx_server import free_port, own_influxd


def health(whole: Project, service: str, in_place_of: str, here: str) -> Sequence[str]:
    """A service's health check, looking here instead of where it would in the container."""
    check = whole.services[service].healthcheck
    assert check is not None
    kind, *command = (word.replace(in_place_of, here) for word in check.test)
    assert here in " ".join(command), f"{in_place_of} is not in {check.test}"
    if kind == "CMD-SHELL":
        return ["/bin/sh", "-c", *command]
    return [sys.executable if word == "python" else word for word in command]


async def passes(command: Sequence[str]) -> bool:
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False, timeout=30)
    return ended.returncode == 0


async def test_ingest_is_healthy_while_it_is_ready(whole: Project, tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        here = str(client._base_url).rstrip("/")
        command = health(whole, "ingest", "http://127.0.0.1:5000", here)
        assert await passes(command)
    assert not await passes(command), "it has stopped"


async def test_ingest_is_not_healthy_before_influxdb_answers(whole: Project, tmp_path: Path) -> None:
    async with serving(unreachable_influx_settings(tmp_path)) as client:
        command = health(whole, "ingest", "http://127.0.0.1:5000", str(client._base_url).rstrip("/"))
        async with asyncio.timeout(20):
            while await passes(command):
                await asyncio.sleep(0.1)


async def test_the_generator_is_healthy_while_it_answers(whole: Project) -> None:
    runner = web.AppRunner(application("http://127.0.0.1:5000"))
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    command = health(whole, "generator", "http://127.0.0.1:3000", f"http://127.0.0.1:{port}")
    assert await passes(command)
    await runner.cleanup()
    assert not await passes(command), "it has stopped"


async def test_the_demo_is_healthy_while_its_heartbeat_is_young(whole: Project, tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    command = health(whole, "demo", "/tmp/heartbeat", str(heartbeat))
    assert not await passes(command), "nothing was acked yet"
    heartbeat.touch()
    assert await passes(command)
    long_ago = time.time() - 20
    os.utime(heartbeat, (long_ago, long_ago))
    assert not await passes(command), "nothing was acked for 20 s"


def test_influxdb_closes_its_files_on_the_signal_it_is_sent(whole: Project) -> None:
    with own_influxd() as influxd:
        assert influxd._process is not None
        influxd._process.send_signal(signal.Signals[whole.services["influxdb"].stop_signal])
        assert influxd._process.wait(30) == 0


def test_the_demo_plays_a_thousand_sensors_without_an_end(whole: Project) -> None:
    options = loadgen.cli.parser().parse_args(whole.services["demo"].arguments("loadgen"))
    assert (options.command, options.rate, options.sensors, options.duration) == ("run", 1000, 1000, None)
    assert options.url == "http://ingest:5000"
    check = whole.services["demo"].healthcheck
    assert check is not None
    assert str(options.heartbeat) in check.test[-1]


def test_the_generator_listens_where_its_port_is_published_from(whole: Project) -> None:
    generator = whole.services["generator"]
    options = loadgen.cli.parser().parse_args(generator.arguments("loadgen"))
    assert (options.command, options.host, options.port) == ("serve", "0.0.0.0", generator.ports[0].target)
    assert options.target == "http://ingest:5000"


def test_ingest_and_influx_know_every_variable_they_are_given(
    whole: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        influx.__main__.main(["apply", "--help"])
    known = {setting.variable for setting in declared()} | set(re.findall(r"INFLUX\w+", capsys.readouterr().out))
    for service in ("ingest", "apply"):
        assert set(whole.services[service].environment) <= known


@pytest.mark.parametrize("service", ["ingest", "generator"])
def test_a_health_check_asks_the_port_that_is_published(whole: Project, service: str) -> None:
    check = whole.services[service].healthcheck
    assert check is not None
    assert f"127.0.0.1:{whole.services[service].ports[0].target}/" in check.test[-1]

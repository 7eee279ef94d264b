"""A day of events in InfluxDB, written straight, with its rollup."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from tools.influx_server import InfluxServer

START_MS = 1_700_006_400_000
DAY_MS = 86_400_000
SENSORS = 1000
_REGIONS = ("norte", "nordeste", "centro-oeste", "sudeste", "sul")
_LINES_A_WRITE = 10_000


def write_day(server: InfluxServer, bucket: str, events: int) -> None:
    """``events`` of 1000 sensors, spread evenly over the day; one in twenty is an ``erro``, one in fifty a text."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    path = "/api/v2/write?" + urlencode({"org": server.org, "bucket": bucket})
    for body in _bodies(events):
        connection.request("POST", path, body, {"Authorization": f"Token {server.token}"})
        answer = connection.getresponse()
        if answer.status != http.client.NO_CONTENT:
            raise RuntimeError(f"InfluxDB answered {answer.status}: {answer.read().decode()}")
        answer.read()
    connection.close()


def roll_up(server: InfluxServer, bucket: str) -> None:
    """``python -m influx rollup``, as one would run it."""
    buckets = ["--bucket", bucket, "--rollup-bucket", f"{bucket}-rollup"]
    command = [sys.executable, "-m", "influx", "rollup", "--url", server.url, "--org", server.org, *buckets]
    subprocess.run(command, check=True, env=os.environ | {"INFLUXDB_TOKEN": server.token}, stdout=subprocess.DEVNULL)


def _bodies(events: int) -> Iterator[bytes]:
    series = [f"events,country=brasil,region={_REGIONS[n % 5]},sensor=sensor{n:04},status=" for n in range(SENSORS)]
    for first in range(0, events, _LINES_A_WRITE):
        numbers = range(first, min(first + _LINES_A_WRITE, events))
        yield "".join(_line(series[n % SENSORS], n, START_MS + n * DAY_MS // events) for n in numbers).encode()


def _line(series: str, number: int, time_ms: int) -> str:
    if number % 21 == 0:
        return f'{series}erro text="" {time_ms}000000\n'
    if number % 50 == 0:
        return f'{series}processado text="on" {time_ms}000001\n'
    return f"{series}processado value={number % 997 / 10} {time_ms}000002\n"

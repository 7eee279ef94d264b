"""The scaling sheet, drawn over next to nothing."""

import time
import urllib.request

import pytest

from benchmarks import null_server
from benchmarks.bench import Bench
from benchmarks.catalogue import GROUPS, Measurement
from benchmarks.job import Plan
from benchmarks.scaling import elsewhere
from benchmarks.sending import sending


@pytest.mark.parametrize("measure", GROUPS["scaling"], ids=lambda measure: measure.__name__)
def test_an_axis_is_drawn(measure: Measurement, bench: Bench) -> None:
    rows = list(measure(bench))
    assert rows
    assert not [row for row in rows if "WRONG" in row.measured], rows
    assert all("events/s" in row.measured and "µs an event" in row.measured for row in rows), rows


def test_an_influxdb_elsewhere_gets_every_line_as_it_was_written(bench: Bench) -> None:
    with elsewhere(bench, 5, "--influx-gzip", "true") as place, sending(Plan("ndjson", 2500, 1000)) as sender:
        sender.send(place.peer.job("ndjson", 2))
        assert place.wait(2500)[1] == 2500


def test_an_influxdb_elsewhere_answers_late() -> None:
    with null_server.serving(delay_seconds=0.2) as server:
        started = time.monotonic()
        answer = urllib.request.urlopen(f"{server.url}/api/v2/write", b"events value=1 1\nevents value=2 2", timeout=30)
        answer.close()
        assert time.monotonic() - started >= 0.2
        assert answer.status == 204
        assert server.taken().events == 2

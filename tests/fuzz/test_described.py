"""The short form of ``make fuzz``: the real service answers as it says it does, with both stores."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.service import Service, influx_options, served
from tests.fuzz.described import hold
from tools.influx_server import InfluxServer

TOKEN = secrets.token_hex(16)


@pytest.fixture(params=["embedded", "influx"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    variables = {"INGEST_TOKENS": f"fuzz:all:{TOKEN}"}
    options: list[str] = []
    if request.param == "influx":
        server: InfluxServer = request.getfixturevalue("influx_server")
        options = influx_options(server, request.getfixturevalue("influx_bucket"))
        variables["INGEST_INFLUX_TOKEN"] = server.token
    with served(tmp_path / "data", *options, **variables) as service:
        yield service


def test_every_answer_is_as_described(service: Service, tmp_path: Path) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    assert hold(service.url, tmp_path, examples=15, seed=seed, token=TOKEN) > 200
    errors = [entry for entry in service.log if entry.get("event") == "unexpected_error"]
    assert not errors, f"seed {seed}: {errors[0]}"

"""An InfluxDB that faults may stop and kill."""

from collections.abc import Iterator

import pytest

from tests.faults.run import Influx
from tools.influx_server import own_influxd, set_up


@pytest.fixture(scope="session")
def mortal_influx() -> Iterator[Influx]:
    with own_influxd() as influxd:
        yield Influx(influxd, set_up(influxd.server))

"""InfluxDB with known events in it."""

import asyncio
from pathlib import Path

import pytest

from influx.declared import EVENTS
from tests.grafana import sent
from tests.grafana.place import Place, new_place
from tools.influx_server import InfluxServer


@pytest.fixture
async def empty_place(influx_server: InfluxServer, tmp_path: Path) -> Place:
    """Buckets with nothing in them."""
    return await new_place(influx_server, tmp_path / "tokens")


@pytest.fixture(scope="session")
def known_place(influx_server: InfluxServer, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Buckets that hold ``sent.events()`` and their counts, for tests that only read."""

    async def filled() -> Place:
        place = await new_place(influx_server, tmp_path_factory.mktemp("grafana") / "tokens")
        await place.write(EVENTS, sent.lines(sent.events()))
        await place.count()
        return place

    return asyncio.run(filled())

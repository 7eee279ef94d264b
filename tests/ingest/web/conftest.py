from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import influx_settings, serving
from tools.influx_server import InfluxServer


@pytest.fixture(params=["embedded", "influx"])
def either_store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a service with an empty store, of both kinds in turn."""
    if request.param == "embedded":
        return Settings(data_dir=tmp_path, port=0)
    server: InfluxServer = request.getfixturevalue("influx_server")
    return influx_settings(tmp_path, server, request.getfixturevalue("influx_bucket"))


@pytest_asyncio.fixture(loop_scope="session")
async def either(either_store: Settings) -> AsyncIterator[ClientSession]:
    """A client of a running service."""
    async with serving(either_store) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def service(tmp_path: Path) -> AsyncIterator[ClientSession]:
    """A client of a running service with the embedded store."""
    async with serving(Settings(data_dir=tmp_path, port=0)) as client:
        yield client

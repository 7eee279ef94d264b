"""Real servers for the tests. One that cannot be had fails the test; it never skips it."""

import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hypothesis import settings
from playwright.async_api import Browser

from tests.browser import browsing
from tools import influx_server as influx
from tools.influx_server import InfluxServer

# On a busy machine a law takes longer now and then, and is as true.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def influx_server() -> Iterator[InfluxServer]:
    """An InfluxDB that is set up, shared by all tests."""
    with influx.server() as server:
        yield server


@pytest.fixture
def fresh_influx_server() -> Iterator[InfluxServer]:
    """A new InfluxDB that nobody has set up yet."""
    with influx.fresh_server() as server:
        yield server


@pytest.fixture
def influx_bucket(influx_server: InfluxServer) -> str:
    """A new, empty bucket's name; the rollup of its events has a bucket named NAME-rollup."""
    name = f"test-{secrets.token_hex(4)}"
    influx.make_bucket(influx_server, name)
    influx.make_bucket(influx_server, f"{name}-rollup")
    return name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium; its tests share its loop, by the mark ``asyncio(loop_scope="session")``."""
    async with browsing() as running:
        yield running

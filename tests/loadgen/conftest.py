import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.app import running
from ingest.settings import Settings
from tests.ingest.service import influx_settings
from tests.loadgen.service import Service, serving


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with serving() as running:
        yield running


@pytest.fixture
def nobody_url() -> str:
    """A URL on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def full_url() -> Iterator[str]:
    """A URL on which connections are neither accepted nor refused: they wait in a queue that is full."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(params=["embedded", "influx"])
async def ingest_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of the real service, once with each store."""
    settings = Settings(data_dir=tmp_path / "data", port=0)
    if request.param == "influx":
        server, bucket = request.getfixturevalue("influx_server"), request.getfixturevalue("influx_bucket")
        settings = influx_settings(tmp_path / "data", server, bucket)
    async with running(settings) as url:
        yield url

"""A broker, and the Telegraf that takes its messages to an ingest service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.telegraf.broker import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path)
    try:
        started.start()
        yield started
    finally:
        started.stop()

"""A bench of tiny sizes, on real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bench import Bench, Sheet, Sizes
from tools.influx_server import own_influxd, set_up


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with own_influxd() as influxd:
        sizes = Sizes(batched=5_000, single=300, stored=5_000, longest=12_000, part=5_000)
        sheet = Sheet(workers=(1,), batches=(10,), sensors=(2000,), delays_ms=(5,))
        folder: Path = tmp_path_factory.mktemp("bench")
        yield Bench(folder, influxd, set_up(influxd.server), seconds=1, rounds=1, sizes=sizes, sheet=sheet)

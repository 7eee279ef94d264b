"""Where measurements run, and what they yield."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service import Service, influx_options, serving
from tools.influx_server import Influxd, InfluxServer, make_bucket


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, what came out, what the goal is."""

    what: str
    measured: str
    goal: str


@dataclass(frozen=True)
class Bench:
    """Where measurements run; ``seconds`` is the length of the long ones, ``rounds`` repeats the short ones."""

    folder: Path
    influxd: Influxd
    influx: InfluxServer
    seconds: int
    rounds: int

    @contextmanager
    def service(self, store: str, name: str, *others: str) -> Iterator[Service]:
        """A service with an empty store of its own, and with ``others`` as options."""
        if store == "embedded":
            with serving(self.folder / name, *others) as service:
                yield service
            return
        make_bucket(self.influx, name)
        make_bucket(self.influx, f"{name}-rollup")
        options = [*influx_options(self.influx.url, self.influx, name), *others]
        with serving(self.folder / name, *options, token=self.influx.token) as service:
            yield service

    def results(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

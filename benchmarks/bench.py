"""Where measurements run, and what they yield."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service import Service, influx_options, serving
from tools.influx_server import Influxd, InfluxServer, make_bucket


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, what came out, what the goal is.

    ``met`` and ``value``, the number that was held to the goal, are None where there is none or a person has to judge.
    """

    what: str
    measured: str
    goal: str
    met: bool | None = None
    value: float | None = None


@dataclass(frozen=True)
class Sizes:
    """Events of a run: in batches, in requests of their own, on disk, in all of the longest run and in a part of it."""

    batched: int = 2_000_000
    single: int = 200_000
    stored: int = 2_000_000
    longest: int = 50_000_000
    part: int = 1_000_000


@dataclass(frozen=True)
class Sheet:
    """What the scaling sheet is drawn over."""

    workers: Sequence[int] = tuple(dict.fromkeys((1, os.cpu_count() or 1)))
    batches: Sequence[int] = (1, 10, 100, 1000, 5000)
    sensors: Sequence[int] = (1000, 10_000, 100_000, 1_000_000)
    delays_ms: Sequence[int] = (0, 5, 20)


def _say_nothing(_: str) -> None:
    pass


@dataclass(frozen=True)
class Bench:
    """Where measurements run; ``seconds`` is the length of the long ones, ``rounds`` repeats the short ones.

    ``progress`` is told what is under way, for who waits.
    """

    folder: Path
    influxd: Influxd
    influx: InfluxServer
    seconds: int
    rounds: int
    sizes: Sizes = Sizes()
    sheet: Sheet = Sheet()
    progress: Callable[[str], None] = _say_nothing

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

"""The levels of the rollup: what is counted from what, and how a count is written as a point."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ingest.event import NS_PER_MS
from ingest.line_protocol import MEASUREMENT, escape_key
from ingest.minutes import HOUR_MS, MINUTE_MS, Mark

# Sums beyond it are not kept: added up they would overflow, and InfluxDB answers no query that gives an infinity.
_MAX_SUM = 1e290


class Tally(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a series in a minute or an hour: all its events, and of the numeric ones ``numbers`` and more."""

    n: int
    numbers: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None


TallyOf = Callable[[Sequence[Any]], Tally]


class RollupPoint(msgspec.Struct, frozen=True, gc=False):
    """The tally of the time from ``start_ms`` on; ``tags`` are the values of its level's tags."""

    start_ms: int
    tags: tuple[str, ...]
    tally: Tally


class Level(msgspec.Struct, frozen=True):
    """A measurement of the rollup: a point for each ``window_ms`` and combination of ``tags``."""

    measurement: str
    window_ms: int
    tags: tuple[str, ...]
    source: str
    fields: str
    tally_of: TallyOf

    def marks(self, minutes: Iterable[Mark]) -> set[Mark]:
        """What of this level is to be counted again, once ``minutes`` of sensors are."""
        segments = len(self.tags) - 1
        return {
            Mark(mark.start_ms - mark.start_ms % self.window_ms, ".".join(mark.tag.split(".")[:segments]))
            for mark in minutes
        }

    def line(self, point: RollupPoint) -> str:
        """``point`` as line protocol. Whoever writes past ingest may leave out a tag, or put anything into it."""
        pairs = zip(self.tags, point.tags, strict=True)
        series = ",".join([self.measurement, *(f"{name}={escape_key(value)}" for name, value in pairs if value)])
        return f"{series} {_fields(point.tally)} {point.start_ms}000000\n"


def points_of(
    level: Level, tags: Mapping[str, str], rows: Iterable[Sequence[Any]], tally_of: TallyOf
) -> list[RollupPoint]:
    """The points of one series of an InfluxQL answer: ``rows`` begin with a time in ns."""
    values = tuple(tags[name] for name in level.tags)
    return [RollupPoint(time_ns // NS_PER_MS, values, tally_of(columns)) for time_ns, *columns in rows]


def _fields(tally: Tally) -> str:
    fields = f"n={tally.n}i"
    if tally.min is not None and tally.max is not None:
        fields += f",numbers={tally.numbers}i,sum={tally.sum!r},min={tally.min!r},max={tally.max!r}"
    return fields


def _of_events(columns: Sequence[Any]) -> Tally:
    numbers, texts, *of_numbers = columns
    return tally((numbers or 0) + (texts or 0), numbers, *of_numbers)


def of_rollup(columns: Sequence[Any]) -> Tally:
    """Of n, numbers, sum, min and max, as a level keeps them or as they were added up."""
    return tally(*columns)


def tally(n: int, numbers: int | None, total: float | None, least: float | None, most: float | None) -> Tally:
    """From what a store has counted. A sum that is too large to be added to is left out, with the count it is for."""
    # Not a number is beyond every limit, too.
    if total is None or not abs(total) <= _MAX_SUM:
        return Tally(n, 0, 0.0, least, most)
    return Tally(n, numbers or 0, total, least, most)


_EVENT_FIELDS = "count(value), count(text), sum(value), min(value), max(value)"
_ROLLUP_FIELDS = "sum(n), sum(numbers), sum(sum), min(min), max(max)"
_BY_SENSOR = ("country", "region", "sensor", "status")
_BY_REGION = ("country", "region", "status")

SENSOR_MINUTES = Level("sensor_minutes", MINUTE_MS, _BY_SENSOR, MEASUREMENT, _EVENT_FIELDS, _of_events)
SENSOR_HOURS = Level("sensor_hours", HOUR_MS, _BY_SENSOR, SENSOR_MINUTES.measurement, _ROLLUP_FIELDS, of_rollup)
REGION_MINUTES = Level("region_minutes", MINUTE_MS, _BY_REGION, SENSOR_MINUTES.measurement, _ROLLUP_FIELDS, of_rollup)
REGION_HOURS = Level("region_hours", HOUR_MS, _BY_REGION, REGION_MINUTES.measurement, _ROLLUP_FIELDS, of_rollup)

# Each is counted from one that stands before it.
LEVELS = (SENSOR_MINUTES, SENSOR_HOURS, REGION_MINUTES, REGION_HOURS)

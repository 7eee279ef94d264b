"""Rebuilds the rollup of a range of time: counts every event of it again, hour by hour, the newest first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from influx.errors import Refused
from ingest.event import NS_PER_MS
from ingest.influxql import InfluxQL, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.rollup.levels import LEVELS, SENSOR_MINUTES, Level, RollupPoint
from ingest.rollup.recount import Recount, conditions
from ingest.rollup.spans import Span

# More of them in one query might outlast its time-out.
_EVENTS_A_QUERY = 4_000_000
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour whose rollup is right now: its start in Unix ms, and how many events it holds."""

    start_ms: int
    events: int


@dataclass(frozen=True, slots=True)
class _Field:
    """What a point holds: ``n``, or what is kept of numbers."""

    start_ms: int
    tags: tuple[str, ...]
    of_numbers: bool


class Rebuild:
    """Also right while a service counts and events arrive. Its methods raise StoreUnavailable or Refused."""

    def __init__(self, events: InfluxQL, rollup: InfluxQL, recount: Recount) -> None:
        self._events = events
        self._rollup = rollup
        self._recount = recount

    async def run(self, start_ms: int, stop_ms: int) -> AsyncIterator[Hour]:
        """Every hour from ``start_ms`` up to ``stop_ms`` that holds events, or counts of events that are gone."""
        while (newest_ms := await self._newest_before(start_ms, stop_ms)) is not None:
            hour_ms = newest_ms - newest_ms % HOUR_MS
            hour = Span(hour_ms, hour_ms + HOUR_MS, "")
            events = await self._total(SENSOR_MINUTES, hour)
            for span in _cut(hour, events):
                await self._settle(SENSOR_MINUTES, span)
            for level in LEVELS[1:]:
                await self._settle(level, hour)
            yield Hour(hour_ms, events)
            stop_ms = hour_ms

    async def _newest_before(self, start_ms: int, stop_ms: int) -> int | None:
        """The time of the newest event or count in the range."""
        times = f"WHERE time >= {start_ms * NS_PER_MS} AND time < {stop_ms * NS_PER_MS} ORDER BY time DESC LIMIT 1"
        found = [
            *await self._events.query(f"SELECT value, text FROM {MEASUREMENT} {times}"),
            *await self._rollup.query(f"SELECT n FROM {', '.join(level.measurement for level in LEVELS)} {times}"),
        ]
        return max((series.values[0][0] // NS_PER_MS for series in found), default=None)

    async def _settle(self, level: Level, span: Span) -> None:
        """Count and write ``span`` until nothing was added to its source meanwhile."""
        for _ in range(_ATTEMPTS):
            points = await self._recount.count(level, span)
            written = {field for point in points for field in _fields(point)}
            for tags in {field.tags for field in await self._kept(level, span) - written}:
                # Some of its events are gone; the rest is written anew.
                await self._recount.forget(level, span, tags)
            await self._recount.write(level, points)
            if await self._total(level, span) == sum(point.tally.n for point in points):
                return
        when = datetime.fromtimestamp(span.start_ms / 1000, UTC).isoformat(timespec="minutes")
        raise Refused(f"Events of {when} keep arriving faster than they are counted: try again when it is quiet.")

    async def _kept(self, level: Level, span: Span) -> set[_Field]:
        by_series = f"{where(conditions(span, level))} GROUP BY {', '.join(level.tags)}"
        found = await self._rollup.query(f"SELECT n, numbers FROM {level.measurement}{by_series}")
        return {
            _Field(time_ns // NS_PER_MS, tuple(series.tags[name] for name in level.tags), of_numbers)
            for series in found
            for time_ns, _, numbers in series.values
            for of_numbers in {False, numbers is not None}
        }

    async def _total(self, level: Level, span: Span) -> int:
        """How many events the source of ``level`` holds, which is quick to ask."""
        is_of_events = level is SENSOR_MINUTES
        counted = "count(value), count(text)" if is_of_events else "sum(n)"
        text = f"SELECT {counted} FROM {level.source}{where(conditions(span, level))}"
        found = await (self._events if is_of_events else self._rollup).query(text)
        return sum(count or 0 for series in found for count in series.values[0][1:])


def _cut(hour: Span, events: int) -> list[Span]:
    """Spans of whole minutes that hold few enough events, if they are spread evenly."""
    minutes = max(1, min(60, 60 * _EVENTS_A_QUERY // max(events, 1)))
    starts = range(hour.start_ms, hour.stop_ms, minutes * MINUTE_MS)
    return [Span(start, min(start + minutes * MINUTE_MS, hour.stop_ms), "") for start in starts]


def _fields(point: RollupPoint) -> set[_Field]:
    return {_Field(point.start_ms, point.tags, of_numbers) for of_numbers in {False, point.tally.min is not None}}

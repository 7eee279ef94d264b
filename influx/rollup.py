"""Rebuilds the rollup of a range of time: counts every event of it again, hour by hour, the newest first."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from influx.errors import Refused
from ingest.event import NS_PER_MS
from ingest.influxql import InfluxQL, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, MINUTE_MS, Mark
from ingest.rollup.levels import LEVELS, SENSOR_MINUTES, Level, RollupPoint, Tally, of_rollup, points_of
from ingest.rollup.recount import Recount, conditions, window
from ingest.rollup.spans import Span, spans

# More of them in one query might outlast its time-out.
_EVENTS_A_QUERY = 4_000_000
_ATTEMPTS = 3

# When a point begins, and its tags.
_Key = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait at the end for minutes that events arrive in: each is quiet soon after it is over."""

    longest_seconds: float = 150.0
    between_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour that was counted: its start in Unix ms, and how many events it holds."""

    start_ms: int
    events: int


class Rebuild:
    """Also right while a service counts and events arrive. Its methods raise StoreUnavailable or Refused."""

    def __init__(self, events: InfluxQL, rollup: InfluxQL, recount: Recount, patience: Patience | None = None) -> None:
        self._events = events
        self._rollup = rollup
        self._recount = recount
        self._patience = patience or Patience()

    async def run(self, start_ms: int, stop_ms: int) -> AsyncIterator[Hour]:
        """Every hour from ``start_ms`` up to ``stop_ms`` that holds events, or counts of events that are gone.

        What begins after the current minute is left to the service. Where events arrive meanwhile the last word is
        spoken at the end, when their minutes are over.
        """
        now_ms = time.time_ns() // NS_PER_MS
        stop_ms = end_ms = min(stop_ms, now_ms - now_ms % MINUTE_MS + MINUTE_MS)
        unsettled: list[Span] = []
        while (newest_ms := await self._newest_before(start_ms, stop_ms)) is not None:
            hour_ms = newest_ms - newest_ms % HOUR_MS
            hour = Span(hour_ms, min(hour_ms + HOUR_MS, end_ms), "")
            events = await self._total(SENSOR_MINUTES, hour)
            unsettled += await self._settle_all(_cut(hour, events))
            yield Hour(hour_ms, events)
            stop_ms = hour_ms
        await self._settle_at_last(unsettled)

    async def _newest_before(self, start_ms: int, stop_ms: int) -> int | None:
        """The time of the newest event or count in the range."""
        times = f"WHERE time >= {start_ms * NS_PER_MS} AND time < {stop_ms * NS_PER_MS} ORDER BY time DESC LIMIT 1"
        found = [
            *await self._events.query(f"SELECT value, text FROM {MEASUREMENT} {times}"),
            *await self._rollup.query(f"SELECT n FROM {', '.join(level.measurement for level in LEVELS)} {times}"),
        ]
        return max((series.values[0][0] // NS_PER_MS for series in found), default=None)

    async def _settle_at_last(self, unsettled: Sequence[Span]) -> None:
        started = time.monotonic()
        while unsettled := await self._settle_all(unsettled):
            if time.monotonic() - started > self._patience.longest_seconds:
                when = ", ".join(_text(minutes.start_ms) for minutes in unsettled)
                raise Refused(f"Events of {when} keep arriving: all others are counted. Count these when it is quiet.")
            await asyncio.sleep(self._patience.between_seconds)

    async def _settle_all(self, minutes: Sequence[Span]) -> list[Span]:
        """Count ``minutes`` and what is counted from them; those that are not known to be right."""
        unsettled = {span for span in minutes if not await self._settle(SENSOR_MINUTES, span)}
        marks = [Mark(start_ms, "") for start_ms in _starts(SENSOR_MINUTES, minutes)]
        for level in LEVELS[1:]:
            for span in spans(level.marks(marks), level.window_ms):
                if not await self._settle(level, span):
                    first_ms = max(span.start_ms, minutes[0].start_ms)
                    unsettled.add(Span(first_ms, first_ms + MINUTE_MS, ""))
        return sorted(unsettled)

    async def _settle(self, level: Level, span: Span) -> bool:
        """Count ``span``, and those of its windows again whose events have become more meanwhile."""
        pending = [span]
        right: dict[int, int] = {}
        for _ in range(_ATTEMPTS):
            counted = await self._recount.count(level, pending)
            await self._replace(level, pending, counted)
            right |= dict.fromkeys(_starts(level, pending), 0) | _sums(counted)
            if await self._total(level, span) == sum(right.values()):
                return True
            totals = await self._totals(level, span)
            changed = [start_ms for start_ms, events in right.items() if totals.get(start_ms, 0) != events]
            pending = [Span(start_ms, start_ms + level.window_ms, "") for start_ms in changed]
            if not pending:
                return True
        return False

    async def _replace(self, level: Level, parts: Sequence[Span], points: Sequence[RollupPoint]) -> None:
        """Write what differs from what is kept, and delete what is kept of events that are gone."""
        kept: dict[_Key, Tally] = {}
        for part in parts:
            kept |= await self._kept(level, part)
        counted = {(point.start_ms, point.tags): point for point in points}
        for key, old in kept.items():
            new = counted.get(key)
            # A write takes no field away: where numbers are gone the point has to go first.
            if new is None or (new.tally.min is None and old.min is not None):
                await self._forget(level, RollupPoint(key[0], key[1], old))
                kept[key] = Tally(0)
        await self._recount.write(level, [point for key, point in counted.items() if kept.get(key) != point.tally])

    async def _forget(self, level: Level, point: RollupPoint) -> None:
        if all(point.tags):
            await self._recount.forget(level, point)
        else:
            # A deletion cannot name a tag that is not there.
            await self._recount.write(level, [RollupPoint(point.start_ms, point.tags, Tally(0))])

    async def _kept(self, level: Level, span: Span) -> Mapping[_Key, Tally]:
        by_series = f"{where(conditions(span, level))} GROUP BY {', '.join(level.tags)}"
        found = await self._rollup.query(f"SELECT n, numbers, sum, min, max FROM {level.measurement}{by_series}")
        kept = [point for series in found for point in points_of(level, series.tags, series.values, of_rollup)]
        return {(point.start_ms, point.tags): point.tally for point in kept}

    async def _total(self, level: Level, span: Span) -> int:
        """How many events the source of ``level`` holds, which is quick to ask."""
        return sum((await self._counted(level, span, "")).values())

    async def _totals(self, level: Level, span: Span) -> Mapping[int, int]:
        """The same by window."""
        return await self._counted(level, span, f" GROUP BY time({window(level)}) fill(none)")

    async def _counted(self, level: Level, span: Span, grouping: str) -> Mapping[int, int]:
        is_of_events = level is SENSOR_MINUTES
        counted = "count(value), count(text)" if is_of_events else "sum(n)"
        text = f"SELECT {counted} FROM {level.source}{where(conditions(span, level))}{grouping}"
        found = await (self._events if is_of_events else self._rollup).query(text)
        return {
            time_ns // NS_PER_MS: sum(count or 0 for count in counts)
            for series in found
            for time_ns, *counts in series.values
        }


def _cut(hour: Span, events: int) -> list[Span]:
    """Spans of whole minutes that hold few enough events, if they are spread evenly."""
    minutes = max(1, min(60, 60 * _EVENTS_A_QUERY // max(events, 1)))
    starts = range(hour.start_ms, hour.stop_ms, minutes * MINUTE_MS)
    return [Span(start, min(start + minutes * MINUTE_MS, hour.stop_ms), "") for start in starts]


def _starts(level: Level, spans: Sequence[Span]) -> list[int]:
    return [start for span in spans for start in range(span.start_ms, span.stop_ms, level.window_ms)]


def _sums(points: Sequence[RollupPoint]) -> dict[int, int]:
    """How many events ``points`` hold, by the start of their window."""
    ordered = sorted(points, key=lambda point: point.start_ms)
    return {
        start_ms: sum(point.tally.n for point in group) for start_ms, group in groupby(ordered, lambda p: p.start_ms)
    }


def _text(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="minutes")

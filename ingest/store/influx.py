"""Reads events and their counts from InfluxDB, in InfluxQL: it gives ``value`` and ``text`` side by side in one row."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ingest.errors import StoreUnavailable
from ingest.event import NS_PER_MS, shortest
from ingest.influxql import AnswerTooLarge, InfluxQL, Series, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.rollup.levels import REGION_HOURS, REGION_MINUTES, SENSOR_HOURS, SENSOR_MINUTES, Level
from ingest.store import MAX_BYTES, Found, Numbers, Position, Selection, SeriesCount, StoredEvent
from ingest.store.pieces import Piece, pieces
from ingest.tag import Tag

# What a row of InfluxDB's answer takes beside its text, about; where tags are longer, a page is shorter.
_ROW_BYTES = 150
_UNITS_MS = (HOUR_MS, MINUTE_MS, 1)
_COUNTED_IN = {HOUR_MS: SENSOR_HOURS.measurement, MINUTE_MS: SENSOR_MINUTES.measurement}


class InfluxStore:
    """Reads ``events``, and counts whole minutes in ``rollup``; closes both."""

    def __init__(self, events: InfluxQL, rollup: InfluxQL) -> None:
        self._events = events
        self._rollup = rollup

    async def events(self, selection: Selection, at: Position | None, limit: int, max_bytes: int = MAX_BYTES) -> Found:
        conditions = _conditions(selection)
        above: list[StoredEvent] = []
        if at is not None:
            above = [event for event in await self._at_time(conditions, at.time_ns) if event.position <= at]
            conditions = [*conditions, f"time < {at.time_ns}"]
        above = _descending(above)
        found = Found.of(above, limit, max_bytes)
        if found.is_cut:
            return found
        below = await self._newest(conditions, limit - len(above) + 1, max_bytes)
        found = Found.of(above + below.events, limit, max_bytes)
        return Found(found.events, found.is_cut or below.is_cut)

    async def _newest(self, conditions: Sequence[str], limit: int, max_bytes: int) -> Found:
        """The newest ``limit`` events; InfluxDB orders by time alone, so the last time is read whole before its cut."""
        asked, found = await self._as_many_as_fit(conditions, limit, max_bytes)
        if len(found) < asked:
            return Found(_descending(found), is_cut=False)
        last_ns = found[-1].time_ns
        complete = [event for event in found if event.time_ns != last_ns]
        events = _descending(complete) + _descending(await self._at_time(conditions, last_ns))
        return Found(events[:limit], is_cut=True)

    async def _as_many_as_fit(
        self, conditions: Sequence[str], limit: int, max_bytes: int
    ) -> tuple[int, list[StoredEvent]]:
        """How many were asked for in the end, and what came: InfluxDB knows no limit in bytes."""
        while True:
            try:
                longest = max_bytes + limit * _ROW_BYTES if limit > 1 else sys.maxsize
                return limit, await self._select(conditions, f"ORDER BY time DESC LIMIT {limit}", longest)
            except AnswerTooLarge:
                limit = max(1, limit // 4)

    async def _at_time(self, conditions: Sequence[str], time_ns: int) -> list[StoredEvent]:
        return await self._select([*conditions, f"time = {time_ns}"], "")

    async def _select(self, conditions: Sequence[str], order: str, max_bytes: int = sys.maxsize) -> list[StoredEvent]:
        query = f"SELECT value, text, country, region, sensor FROM {MEASUREMENT}{where(conditions)} {order}"
        found = await self._events.query(query, max_bytes=max_bytes)
        return [event for series in found for row in series.values for event in _events_of(row)]

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        """Whole minutes as the rollup has them, a few seconds behind; what is left at both ends from the events."""
        totals: Counter[Tag] = Counter()
        for piece in pieces(selection.start_ms, selection.stop_ms, _UNITS_MS):
            for series in await self._counted(selection, piece):
                totals[_tag_of(series)] += sum(count or 0 for count in series.values[0][1:])
        return [SeriesCount(tag, events) for tag, events in totals.items() if events]

    async def _counted(self, selection: Selection, piece: Piece) -> list[Series]:
        part = msgspec.structs.replace(selection, start_ms=piece.start_ms, stop_ms=piece.stop_ms)
        by_sensor = f"{where(_conditions(part))} GROUP BY country, region, sensor"
        measurement = _COUNTED_IN.get(piece.unit_ms)
        if measurement is None:
            return await self._events.query(f"SELECT count(value), count(text) FROM {MEASUREMENT}{by_sensor}")
        return await self._rollup.query(f"SELECT sum(n) FROM {measurement}{by_sensor}")

    async def numbers(self, selection: Selection, step_ms: int) -> list[Numbers]:
        """From minutes on as the rollup has them, a few seconds behind."""
        by_step = f"{where(_conditions(selection))} GROUP BY time({step_ms}ms) fill(none)"
        if step_ms % MINUTE_MS:
            query = f"SELECT count(value), sum(value), min(value), max(value) FROM {MEASUREMENT}{by_step}"
            found = await self._events.query(query)
        else:
            level = _level(selection, step_ms)
            query = f"SELECT sum(numbers), sum(sum), min(min), max(max) FROM {level.measurement}{by_step}"
            found = await self._rollup.query(query)
        rows = [row for series in found for row in series.values]
        return [Numbers.of(time_ns // NS_PER_MS, *columns) for time_ns, *columns in rows]

    async def trouble(self) -> str | None:
        try:
            await self._events.query(f"SHOW MEASUREMENTS WITH MEASUREMENT = {MEASUREMENT}")
        except StoreUnavailable as error:
            return str(error)
        return None

    async def close(self) -> None:
        await self._events.close()
        await self._rollup.close()


def _level(selection: Selection, step_ms: int) -> Level:
    """The coarsest level that holds the answer."""
    if selection.sensor is None:
        return REGION_MINUTES if step_ms % HOUR_MS else REGION_HOURS
    return SENSOR_MINUTES if step_ms % HOUR_MS else SENSOR_HOURS


def _events_of(row: list[Any]) -> list[StoredEvent]:
    """One row's events: almost always one, two where a number and a text fell on the same point."""
    time_ns, value, text, country, region, sensor = row
    tag = f"{country}.{region}.{sensor}"
    valores = [] if value is None else [shortest(float(value))]
    return [StoredEvent(time_ns, tag, valor) for valor in (valores if text is None else [*valores, text])]


def _tag_of(series: Series) -> Tag:
    return Tag(series.tags["country"], series.tags["region"], series.tags["sensor"])


def _descending(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    return sorted(events, key=lambda event: (event.time_ns, event.tag, event.valor), reverse=True)


def _conditions(selection: Selection) -> list[str]:
    """Every text of a selection has been checked to be a segment of a tag or a status: there is nothing to escape."""
    conditions = []
    if selection.start_ms is not None:
        conditions.append(f"time >= {selection.start_ms * NS_PER_MS}")
    if selection.stop_ms is not None:
        conditions.append(f"time < {selection.stop_ms * NS_PER_MS}")
    for name in ("country", "region", "sensor", "status"):
        value = getattr(selection, name)
        if value is not None:
            conditions.append(f"{name} = '{value}'")
    return conditions

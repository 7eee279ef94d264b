"""Reads events from InfluxDB, in InfluxQL: it gives ``value`` and ``text`` side by side in one row."""

from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec

from ingest.errors import StoreUnavailable
from ingest.event import NS_PER_MS, shortest
from ingest.line_protocol import MEASUREMENT
from ingest.point_writer import InfluxAddress
from ingest.store import Position, Selection, SeriesCount, StoredEvent
from ingest.tag import Tag

_MAX_REASON_CHARACTERS = 300


class _Series(msgspec.Struct):
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""
    message: str = ""


class InfluxStore:
    """Create it inside a running event loop; the token needs to read the bucket, nothing more."""

    def __init__(self, address: InfluxAddress, timeout_seconds: float) -> None:
        self._address = address
        self._url = address.url.rstrip("/") + "/query"
        self._decoder = msgspec.json.Decoder(_Answer)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Token {address.token}"},
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        )

    async def events(self, selection: Selection, at: Position | None, limit: int) -> list[StoredEvent]:
        conditions = _conditions(selection)
        above: list[StoredEvent] = []
        if at is not None:
            above = [event for event in await self._at_time(conditions, at.time_ns) if event.position <= at]
            conditions = [*conditions, f"time < {at.time_ns}"]
        below = await self._newest(conditions, limit - len(above)) if len(above) < limit else []
        return _descending(above)[:limit] + below

    async def _newest(self, conditions: Sequence[str], limit: int) -> list[StoredEvent]:
        """The newest ``limit`` events; InfluxDB orders by time alone, so the last time is read whole before its cut."""
        found = await self._select(conditions, f"ORDER BY time DESC LIMIT {limit}")
        if len(found) < limit:
            return _descending(found)
        last_ns = found[-1].time_ns
        complete = [event for event in found if event.time_ns != last_ns]
        return (_descending(complete) + _descending(await self._at_time(conditions, last_ns)))[:limit]

    async def _at_time(self, conditions: Sequence[str], time_ns: int) -> list[StoredEvent]:
        return await self._select([*conditions, f"time = {time_ns}"], "")

    async def _select(self, conditions: Sequence[str], order: str) -> list[StoredEvent]:
        query = f"SELECT value, text, country, region, sensor FROM {MEASUREMENT}{_where(conditions)} {order}"  # noqa: S608 - checked words only
        return [event for series in await self._query(query) for row in series.values for event in _events_of(row)]

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        query = (
            f"SELECT count(value), count(text) FROM {MEASUREMENT}"  # noqa: S608 - checked words only
            f"{_where(_conditions(selection))} GROUP BY country, region, sensor"
        )
        return [_count_of(series) for series in await self._query(query)]

    async def trouble(self) -> str | None:
        try:
            await self._query(f"SHOW MEASUREMENTS WITH MEASUREMENT = {MEASUREMENT}")
        except StoreUnavailable as error:
            return str(error)
        return None

    async def close(self) -> None:
        await self._session.close()

    async def _query(self, query: str) -> list[_Series]:
        parameters = {"db": self._address.bucket, "epoch": "ns"}
        try:
            async with self._session.post(self._url, params=parameters, data={"q": query}) as response:
                answer = self._decoder.decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreUnavailable(f"InfluxDB does not answer: {str(error) or type(error).__name__}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreUnavailable(f"InfluxDB answers {response.status} with something that is not its JSON") from error
        return _series_of(answer, response.status)


def _series_of(answer: _Answer, status: int) -> list[_Series]:
    errors = [answer.error or answer.message, *(result.error for result in answer.results)]
    reason = next((error for error in errors if error), "" if status == 200 else "no reason given")
    if reason:
        raise StoreUnavailable(f"InfluxDB answers {status}: {reason[:_MAX_REASON_CHARACTERS]}")
    return [series for result in answer.results for series in result.series]


def _events_of(row: list[Any]) -> list[StoredEvent]:
    """One row's events: almost always one, two where a number and a text fell on the same point."""
    time_ns, value, text, country, region, sensor = row
    tag = f"{country}.{region}.{sensor}"
    valores = [] if value is None else [shortest(float(value))]
    return [StoredEvent(time_ns, tag, valor) for valor in (valores if text is None else [*valores, text])]


def _count_of(series: _Series) -> SeriesCount:
    tag = Tag(series.tags["country"], series.tags["region"], series.tags["sensor"])
    _, values, texts = series.values[0]
    return SeriesCount(tag, (values or 0) + (texts or 0))


def _descending(events: Sequence[StoredEvent]) -> list[StoredEvent]:
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


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""

"""What the embedded store asks of its tables: SQL and its parameters."""

from collections.abc import Iterator, Sequence

import msgspec

from ingest.event import ERRO, NS_PER_MS, PROCESSADO
from ingest.minutes import MINUTE_MS
from ingest.store import Position, Selection
from ingest.store.pieces import Piece, pieces

_UNITS_MS = (MINUTE_MS, 1)


class Query(msgspec.Struct, frozen=True):
    """A statement and what its question marks stand for."""

    sql: str
    values: list[object]


def newest_events(selection: Selection, at: Position | None, limit: int) -> Query:
    """Rows of time_ns, tag, valor."""
    parts = [*_times("time_ns", selection, NS_PER_MS), *_segments(selection), *_status_of_valor(selection)]
    if at is not None:
        parts.append(("time_ns <= ? AND (time_ns < ? OR tag <= ?)", at.time_ns, at.time_ns, at.tag))
    where, values = _where(parts)
    sql = (
        "SELECT time_ns, tag, valor FROM events JOIN sensors ON sensors.id = sensor_id"
        f"{where} ORDER BY time_ns DESC, tag DESC, valor DESC LIMIT ?"
    )
    return Query(sql, [*values, limit])


def counts(selection: Selection) -> Iterator[Query]:
    """Rows of country, region, sensor, count, to be added up."""
    if selection.start_ms is None and selection.stop_ms is None:
        where, values = _where(_segments(selection))
        counted = selection.status or f"{PROCESSADO} + {ERRO}"
        yield Query(f"SELECT country, region, sensor, {counted} FROM sensors{where}", values)
        return
    for piece in pieces(selection.start_ms, selection.stop_ms, _UNITS_MS):
        yield _count_of(piece, selection)


def _count_of(piece: Piece, selection: Selection) -> Query:
    part = msgspec.structs.replace(selection, start_ms=piece.start_ms, stop_ms=piece.stop_ms)
    if piece.unit_ms == MINUTE_MS:
        counted, table = "sum(n)", "minutes"
        parts = [*_times("start_ms", part, 1), *_status(part)]
    else:
        counted, table = "count(*)", "events"
        parts = [*_times("time_ns", part, NS_PER_MS), *_status_of_valor(part)]
    where, values = _where([*parts, *_segments(part)])
    return Query(
        f"SELECT country, region, sensor, {counted} FROM {table} JOIN sensors ON sensors.id = sensor_id"
        f"{where} GROUP BY sensor_id",
        values,
    )


def numbers(selection: Selection, step_ms: int) -> Query:
    """Rows of the step's start in ms, numbers, sum, min, max; the connection has the function ``number_of``."""
    if step_ms % MINUTE_MS:
        return _numbers_of_events(selection, step_ms)
    # A sensor's minutes are found by its index, which the planner may not choose by itself.
    table = (
        "region_minutes JOIN regions ON regions.id = region_id"
        if selection.sensor is None
        else "sensors CROSS JOIN minutes INDEXED BY minutes_of_sensor ON sensors.id = sensor_id"
    )
    parts = [("numbers > 0",), *_times("start_ms", selection, 1), *_segments(selection), *_status(selection)]
    where, values = _where(parts)
    sql = (
        f"SELECT start_ms / ? * ?, sum(numbers), sum(sum), min(min), max(max) FROM {table}{where} GROUP BY 1 ORDER BY 1"
    )
    return Query(sql, [step_ms, step_ms, *values])


def _numbers_of_events(selection: Selection, step_ms: int) -> Query:
    parts = [*_times("time_ns", selection, NS_PER_MS), *_segments(selection), *_status_of_valor(selection)]
    where, values = _where(parts)
    # Materialized, or number_of would be asked anew for every use of its answer.
    sql = (
        f"WITH numbers AS MATERIALIZED (SELECT time_ns / {NS_PER_MS} AS time_ms, number_of(valor) AS number"
        f" FROM events JOIN sensors ON sensors.id = sensor_id{where})"
        " SELECT time_ms / ? * ?, count(*), sum(number), min(number), max(number)"
        " FROM numbers WHERE number IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    return Query(sql, [*values, step_ms, step_ms])


# A condition and its parameters.
_Part = tuple[object, ...]


def _times(column: str, selection: Selection, per_ms: int) -> list[_Part]:
    bounds = ((">=", selection.start_ms), ("<", selection.stop_ms))
    return [(f"{column} {sign} ?", bound_ms * per_ms) for sign, bound_ms in bounds if bound_ms is not None]


def _segments(selection: Selection) -> list[_Part]:
    segments = (("country", selection.country), ("region", selection.region), ("sensor", selection.sensor))
    return [(f"{name} = ?", segment) for name, segment in segments if segment is not None]


def _status(selection: Selection) -> list[_Part]:
    return [] if selection.status is None else [("status = ?", selection.status)]


def _status_of_valor(selection: Selection) -> list[_Part]:
    return [] if selection.status is None else [("(valor = '') = ?", selection.status == ERRO)]


def _where(parts: Sequence[_Part]) -> tuple[str, list[object]]:
    if not parts:
        return "", []
    conditions = " AND ".join(str(condition) for condition, *_ in parts)
    return f" WHERE {conditions}", [value for _, *values in parts for value in values]

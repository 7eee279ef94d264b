"""The embedded store: one SQLite file that is spool and store at once, so that no server is needed."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from ingest.errors import DiskFailed, StoreUnavailable
from ingest.event import ERRO, NS_PER_MS, PROCESSADO, Event, time_ns
from ingest.group_commit import GroupCommit
from ingest.metrics import Metrics
from ingest.sqlite import connect, touch, transaction
from ingest.store import Position, Selection, SeriesCount, StoredEvent, shown_valor
from ingest.store.readers import Readers
from ingest.tag import Tag

FILE_NAME = "events.db"
_ROWS_A_STATEMENT = (1000, 100, 10, 1)

# The primary key is the event's identity: delivered twice, it is kept once, and only then does the trigger count it.
# There is no index by sensor: it would cost twice the disk and two thirds of the speed.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sensors (
    id INTEGER PRIMARY KEY,
    country TEXT NOT NULL,
    region TEXT NOT NULL,
    sensor TEXT NOT NULL,
    tag TEXT NOT NULL UNIQUE,
    processado INTEGER NOT NULL DEFAULT 0,
    erro INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS events (
    time_ns INTEGER NOT NULL,
    sensor_id INTEGER NOT NULL,
    valor TEXT NOT NULL,
    PRIMARY KEY (time_ns, sensor_id, valor)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS events_are_counted AFTER INSERT ON events BEGIN
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id;
END;
"""


class EmbeddedStore:
    """Keeps events in ``folder``; both where they are appended to and where they are read from."""

    keeps_other_measurements = False

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._path = folder / FILE_NAME
        self._metrics = metrics
        self._writer = connect(self._path)
        self._writer.executescript(_SCHEMA)
        self._sensor_ids: dict[str, int] = dict(self._writer.execute("SELECT tag, id FROM sensors"))
        self._commits: GroupCommit[Sequence[Event]] = GroupCommit(self._commit, "embedded-write")
        self._readers = Readers(self._path)
        self._failed = False

    async def append(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        """Return once ``events`` are on disk. Raises DiskFailed: then none of them is kept."""
        if lines:
            raise ValueError("the embedded store keeps no other measurement")
        try:
            await self._commits.add(events)
        except sqlite3.Error as error:
            self._failed = True
            raise DiskFailed(f"the store cannot be written: {error}") from error
        self._failed = False

    async def events(self, selection: Selection, at: Position | None, limit: int) -> list[StoredEvent]:
        conditions, values = _conditions(selection)
        if at is not None:
            conditions.append("time_ns <= ? AND (time_ns < ? OR tag <= ?)")
            values += [at.time_ns, at.time_ns, at.tag]
        sql = (
            "SELECT time_ns, tag, valor FROM events JOIN sensors ON sensors.id = sensor_id"  # noqa: S608 - fixed words only
            f"{_where(conditions)} ORDER BY time_ns DESC, tag DESC, valor DESC LIMIT ?"
        )
        rows = await self._read(sql, [*values, limit])
        return [StoredEvent(time, tag, shown_valor(valor)) for time, tag, valor in rows]

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        """At once whatever the number of events, but for a range of time, whose events are counted one by one."""
        conditions, values = _conditions(selection)
        if selection.start_ms is None and selection.stop_ms is None:
            counted = selection.status or f"{PROCESSADO} + {ERRO}"
            conditions, values = _conditions(msgspec.structs.replace(selection, status=None))
            sql = f"SELECT country, region, sensor, {counted} AS n FROM sensors{_where([*conditions, 'n > 0'])}"  # noqa: S608
        else:
            sql = (
                "SELECT country, region, sensor, count(*) FROM events JOIN sensors ON sensors.id = sensor_id"  # noqa: S608
                f"{_where(conditions)} GROUP BY sensor_id"
            )
        rows = await self._read(sql, values)
        return [SeriesCount(Tag(country, region, sensor), events) for country, region, sensor, events in rows]

    async def trouble(self) -> str | None:
        """Why events can be neither kept nor read now; after a failure it tries the disk, which may be well again."""
        try:
            if self._failed:
                await self.append([], [])
            await self._read("SELECT * FROM events LIMIT 1", [])
        except (DiskFailed, StoreUnavailable) as error:
            return str(error)
        return None

    async def close(self) -> None:
        await self._commits.close()
        await self._readers.close()
        self._writer.close()

    def _commit(self, groups: Sequence[Sequence[Event]]) -> None:
        new_sensors: dict[str, int] = {}
        with transaction(self._writer):
            rows = [
                (time_ns(event.timestamp_ms, event.valor), self._sensor_id(event.tag, new_sensors), event.valor)
                for events in groups
                for event in events
            ]
            stored = _insert(self._writer, rows)
            if not rows:
                touch(self._writer)
        # Only now: a transaction that failed has taken its new sensors back.
        self._sensor_ids |= new_sensors
        self._metrics.stored.inc(stored)

    def _sensor_id(self, tag: str, new_sensors: dict[str, int]) -> int:
        sensor_id = self._sensor_ids.get(tag) or new_sensors.get(tag)
        if sensor_id is None:
            row = (*tag.split("."), tag)
            cursor = self._writer.execute("INSERT INTO sensors (country, region, sensor, tag) VALUES (?, ?, ?, ?)", row)
            sensor_id = new_sensors[tag] = int(cursor.lastrowid or 0)
        return sensor_id

    async def _read(self, sql: str, values: Sequence[object]) -> list[Any]:
        try:
            return await self._readers.run(lambda connection: connection.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the store cannot be read: {error}") from error


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[int, int, str]]) -> int:
    """How many of ``rows`` are new. Many a statement: each one is a hand-over between threads, however much it does."""
    position = stored = 0
    for size in _ROWS_A_STATEMENT:
        sql = "INSERT OR IGNORE INTO events VALUES " + ",".join(["(?,?,?)"] * size)  # noqa: S608 - fixed words only
        while len(rows) - position >= size:
            stored += connection.execute(sql, tuple(chain.from_iterable(rows[position : position + size]))).rowcount
            position += size
    return stored


def _conditions(selection: Selection) -> tuple[list[str], list[object]]:
    parts: list[tuple[str, object]] = [
        ("time_ns >= ?", None if selection.start_ms is None else selection.start_ms * NS_PER_MS),
        ("time_ns < ?", None if selection.stop_ms is None else selection.stop_ms * NS_PER_MS),
        ("country = ?", selection.country),
        ("region = ?", selection.region),
        ("sensor = ?", selection.sensor),
        ("(valor = '') = ?", None if selection.status is None else selection.status == ERRO),
    ]
    chosen = [(condition, value) for condition, value in parts if value is not None]
    return [condition for condition, _ in chosen], [value for _, value in chosen]


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""

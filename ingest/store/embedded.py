"""The embedded store: one SQLite file that is spool and store at once, so that no server is needed."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog

from ingest.errors import DiskFailed, StoreUnavailable
from ingest.event import NS_PER_MS
from ingest.events import Events
from ingest.fail_points import Point, Reached, never
from ingest.fields import numbers, offsets_ns
from ingest.file_damage import look_at
from ingest.group_commit import GroupCommit
from ingest.metrics import Metrics
from ingest.spool.set_aside import keep_log, kept_logs
from ingest.sqlite import Commits, Damaged, connect, is_damage, touch, transaction
from ingest.store import (
    MAX_BYTES,
    Found,
    Numbers,
    Position,
    Selection,
    SeriesCount,
    StoredEvent,
    embedded_queries,
    embedded_tables,
    shown_valor,
)
from ingest.store.damaged import way_out, what_is_behind
from ingest.store.embedded_queries import Query
from ingest.store.embedded_tables import Ids
from ingest.store.readers import Readers
from ingest.tag import Tag

FILE_NAME = "events.db"

Result = TypeVar("Result")


class EmbeddedStore:
    """Keeps events in ``folder``; both where they are appended to and where they are read from."""

    keeps_other_measurements = False

    def __init__(self, folder: Path, metrics: Metrics, reached: Reached = never) -> None:
        """Raises sqlite3.Error, Damaged among them."""
        self._path = folder / FILE_NAME
        self._metrics = metrics
        self._reached = reached
        look = look_at(self._path)
        if look.damage:
            raise Damaged(look.damage)
        if look.log_break:
            # Opened, it loses what is behind the break; `ingest recover` finds it in the copy.
            keep_log(self._path, look.log_break)
        self._writer = connect(self._path)
        self._transactions = Commits(self._writer, log_is_clean=look.log_break is None)
        try:
            embedded_tables.prepare(self._writer)
            self._sensors = embedded_tables.known_sensors(self._writer)
            self._transactions.try_to_clean()
        except BaseException:
            self._writer.close()
            raise
        self._commits: GroupCommit[Events] = GroupCommit(self._commit, "embedded-write", reached)
        self._readers = Readers(self._path)
        # Whether it can be read is told however many read.
        self._probe = Readers(self._path, most=1)
        self._failed = False
        self._damage: str | None = None
        self._warnings = [what_is_behind(note) for note in kept_logs(self._path)]
        for warning in self._warnings:
            structlog.get_logger("store").warning("store_log_broken", reason=warning)

    def sensors(self) -> Iterable[str]:
        """The tag of every sensor that has an event."""
        return self._sensors.keys()

    async def append(self, events: Events, lines: Sequence[bytes]) -> None:
        """Return once ``events`` are on disk. Raises DiskFailed: then none of them is kept."""
        if lines:
            raise ValueError("the embedded store keeps no other measurement")
        try:
            await self._commits.add(events)
        except sqlite3.Error as error:
            self._failed = True
            raise DiskFailed(self._reason("written", error)) from error
        self._failed = False

    async def events(self, selection: Selection, at: Position | None, limit: int, max_bytes: int = MAX_BYTES) -> Found:
        query = embedded_queries.newest_events(selection, at, limit + 1)
        return await self._reading(
            lambda connection: Found.of(map(_stored, connection.execute(query.sql, query.values)), limit, max_bytes)
        )

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        """As they are kept, whatever the number of events; what a range has outside whole minutes is counted anew."""
        totals: Counter[Tag] = Counter()
        for query in embedded_queries.counts(selection):
            for country, region, sensor, events in await self._read(query):
                totals[Tag(country, region, sensor)] += events
        return [SeriesCount(tag, events) for tag, events in totals.items() if events]

    async def numbers(self, selection: Selection, step_ms: int) -> list[Numbers]:
        """Whole minutes as every event has changed them: they never lag."""
        return [Numbers.of(*row) for row in await self._read(embedded_queries.numbers(selection, step_ms))]

    async def trouble(self) -> str | None:
        """Why events can be neither kept nor read now; after a failure it tries the disk, which may be well again."""
        if self._damage:
            return self._damage
        try:
            if self._failed:
                await self.append(Events.of(), [])
            await self._reading(
                lambda connection: connection.execute("SELECT * FROM events LIMIT 1").fetchall(), self._probe
            )
        except (DiskFailed, StoreUnavailable) as error:
            return str(error)
        return None

    def warnings(self) -> Sequence[str]:
        """What the operator should know, as of the start."""
        return self._warnings

    async def close(self) -> None:
        await self._commits.close()
        await self._readers.close()
        await self._probe.close()
        self._writer.close()

    def _commit(self, groups: Sequence[Events]) -> None:
        new_sensors: dict[str, Ids] = {}
        with self._transactions.one(), transaction(self._writer):
            rows = self._rows(Events.joined(groups), new_sensors)
            stored = embedded_tables.insert(self._writer, rows)
            if not rows:
                touch(self._writer)
            self._reached(Point.IN_COMMIT)
        # Only now: a transaction that failed has taken its new sensors back.
        self._sensors |= new_sensors
        self._metrics.stored.inc(stored)

    def _rows(self, events: Events, new_sensors: dict[str, Ids]) -> list[embedded_tables.Row]:
        for tag in dict.fromkeys(events.tags):
            if tag not in self._sensors:
                new_sensors[tag] = embedded_tables.insert_sensor(self._writer, tag)
        known = self._sensors
        ids = [known.get(tag) or new_sensors[tag] for tag in events.tags]
        sensors, regions = (id_.sensor for id_ in ids), (id_.region for id_ in ids)
        valores = events.valores
        times_ns = (
            timestamp_ms * NS_PER_MS + offset
            for timestamp_ms, offset in zip(events.timestamps_ms, offsets_ns(valores), strict=True)
        )
        return list(zip(times_ns, sensors, regions, valores, numbers(valores), strict=True))

    async def _read(self, query: Query) -> list[Any]:
        return await self._reading(lambda connection: connection.execute(query.sql, query.values).fetchall())

    async def _reading(self, read: Callable[[sqlite3.Connection], Result], readers: Readers | None = None) -> Result:
        try:
            return await (readers or self._readers).run(read)
        except sqlite3.Error as error:
            raise StoreUnavailable(self._reason("read", error)) from error

    def _reason(self, done: str, error: sqlite3.Error) -> str:
        if not is_damage(error):
            return f"the store cannot be {done}: {error}"
        if self._damage is None:
            self._damage = way_out(self._path, str(error))
            structlog.get_logger("store").error("store_damaged", reason=self._damage)
        return self._damage


def _stored(row: tuple[int, str, str]) -> StoredEvent:
    time, tag, valor = row
    return StoredEvent(time, tag, shown_valor(valor))

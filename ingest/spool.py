"""The spool: a FIFO of line protocol on disk, between the 2xx and InfluxDB."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from ingest import dead_letter
from ingest.dead_letter import DeadLetter
from ingest.errors import DiskFailed, SpoolFull
from ingest.group_commit import GroupCommit
from ingest.sqlite import connect, give_back, touch, transaction

FILE_NAME = "spool.db"
_NEARLY_FULL = 0.95
_PAGES_A_STEP = 1_000

# ``totals`` makes the depth known at once, whatever the backlog; triggers keep it true whichever process writes.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS totals (points INTEGER NOT NULL, bytes INTEGER NOT NULL, dead_letters INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT * FROM totals);
CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    points INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    lines BLOB NOT NULL
);
CREATE TRIGGER IF NOT EXISTS spool_grows AFTER INSERT ON spool BEGIN
    UPDATE totals SET points = points + NEW.points, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER IF NOT EXISTS spool_shrinks AFTER DELETE ON spool BEGIN
    UPDATE totals SET points = points - OLD.points, bytes = bytes - OLD.bytes;
END;
"""


class Blob(msgspec.Struct, frozen=True, gc=False):
    """Encoded points, each line ended by a newline. Never split one at a newline: a text may contain some."""

    lines: bytes
    points: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """A piece of the spool, to be removed once InfluxDB has it; ``time_ms`` is when it arrived."""

    id: int
    time_ms: int
    points: int
    lines: bytes


class Depth(msgspec.Struct, frozen=True):
    """What waits in the spool, and what died; ``oldest_ms`` is the Unix time the oldest row arrived, None if empty."""

    points: int = 0
    bytes: int = 0
    oldest_ms: int | None = None
    dead_letters: int = 0

    def after(self, row: "Row") -> "Depth":
        """The depth when ``row`` has been added."""
        oldest_ms = row.time_ms if self.oldest_ms is None else self.oldest_ms
        return Depth(self.points + row.points, self.bytes + len(row.lines), oldest_ms, self.dead_letters)


class _Append(msgspec.Struct, frozen=True):
    blobs: Sequence[Blob]
    time_ms: int


class _Remove(msgspec.Struct, frozen=True):
    rows: Sequence[Row]
    dead: Sequence[DeadLetter]


class _Probe(msgspec.Struct, frozen=True):
    """Changes nothing, but has to reach the disk."""


_Change = _Append | _Remove | _Probe


class Spool:
    """Open one for each data folder. ``depth`` is as of the last commit or read.

    What arrives in one group is joined into rows of up to ``row_points`` and ``row_bytes``: fewer rows, quicker reads.
    """

    def __init__(self, folder: Path, max_bytes: int, row_points: int = 5_000, row_bytes: int = 1_000_000) -> None:
        self._max_bytes = max_bytes
        self._row_points = row_points
        self._row_bytes = row_bytes
        self._writer = connect(folder / FILE_NAME, shrinks=True)
        self._writer.executescript(_SCHEMA + dead_letter.SCHEMA)
        self._reader = connect(folder / FILE_NAME)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool-read")
        self._commits: GroupCommit[_Change] = GroupCommit(self._commit, "spool-write")
        self._unwritten_bytes = 0
        self._failure: str | None = None
        self.depth = _depth(self._writer)
        self.arrived = asyncio.Event()

    async def append(self, blobs: Sequence[Blob]) -> None:
        """Return once ``blobs`` are on disk. Raises SpoolFull or DiskFailed: then none of them is kept."""
        size = sum(len(blob.lines) for blob in blobs)
        if self.depth.bytes + self._unwritten_bytes + size > self._max_bytes:
            raise SpoolFull(self._full())
        self._unwritten_bytes += size
        try:
            await self._commit_one(_Append(blobs, _now_ms()))
        finally:
            self._unwritten_bytes -= size
        self.arrived.set()

    async def read(self, after_id: int, max_points: int, max_bytes: int) -> list[Row]:
        """The oldest rows with an id above ``after_id``, up to the limits but at least one if there is one."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reading, self._read, after_id, max_points, max_bytes)
        except sqlite3.Error as error:
            raise DiskFailed(f"the spool cannot be read: {error}") from error

    async def remove(self, rows: Sequence[Row], dead: Sequence[DeadLetter] = ()) -> None:
        """Forget ``rows``, which InfluxDB has; the same commit makes dead letters of the ``dead`` lines it refused."""
        await self._commit_one(_Remove(rows, dead))

    async def trouble(self) -> str | None:
        """Why nothing more is taken now, or None. After a failure it tries the disk, which may be well again."""
        if self._failure is not None:
            try:
                await self._commit_one(_Probe())
            except DiskFailed as error:
                return str(error)
        return self._full() if self.depth.bytes >= self._max_bytes * _NEARLY_FULL else None

    async def close(self) -> None:
        """Commit what waits; then no other call may come."""
        await self._commits.close()
        self._reading.shutdown()
        self._reader.close()
        self._writer.close()

    async def _commit_one(self, change: _Change) -> None:
        try:
            await self._commits.add(change)
        except sqlite3.Error as error:
            self._failure = f"the spool cannot be written: {error}"
            raise DiskFailed(self._failure) from error
        self._failure = None

    def _full(self) -> str:
        return f"the spool is full ({self._max_bytes} bytes): the store has to take some of it first"

    def _commit(self, changes: Sequence[_Change]) -> None:
        rows = self._joined([change for change in changes if isinstance(change, _Append)])
        removals = [change for change in changes if isinstance(change, _Remove)]
        if len(rows) == 1 and not removals:
            # One statement commits by itself, and lets other threads run all the while.
            insert(self._writer, rows[0])
            self.depth = self.depth.after(rows[0])
            return
        with transaction(self._writer):
            if not rows and not removals:
                touch(self._writer)
            for row in rows:
                insert(self._writer, row)
            for removal in removals:
                _forget(self._writer, removal)
            depth = _depth(self._writer)
        self.depth = depth
        if depth.points == 0:
            # After a backlog; a step at a time, for the next events wait meanwhile.
            give_back(self._writer, _PAGES_A_STEP)

    def _joined(self, appends: Sequence[_Append]) -> list[Row]:
        rows: list[Row] = []
        blobs: list[Blob] = []
        points = size = 0
        for blob in (blob for append in appends for blob in append.blobs):
            points, size = points + blob.points, size + len(blob.lines)
            if blobs and (points > self._row_points or size > self._row_bytes):
                rows.append(_row(blobs, appends[0].time_ms))
                blobs, points, size = [], blob.points, len(blob.lines)
            blobs.append(blob)
        return [*rows, _row(blobs, appends[0].time_ms)] if blobs else rows

    def _read(self, after_id: int, max_points: int, max_bytes: int) -> list[Row]:
        rows: list[Row] = []
        points = size = 0
        cursor = self._reader.execute(
            "SELECT id, time_ms, points, lines FROM spool WHERE id > ? ORDER BY id", (after_id,)
        )
        for columns in cursor:
            row = Row(*columns)
            points, size = points + row.points, size + len(row.lines)
            if rows and (points > max_points or size > max_bytes):
                break
            rows.append(row)
        cursor.close()
        self.depth = _depth(self._reader)
        return rows


def insert(connection: sqlite3.Connection, row: Row) -> None:
    """Add a row at the end; its ``id`` is given by the spool."""
    connection.execute(
        "INSERT INTO spool (time_ms, points, bytes, lines) VALUES (?, ?, ?, ?)",
        (row.time_ms, row.points, len(row.lines), row.lines),
    )


def _forget(connection: sqlite3.Connection, removal: _Remove) -> None:
    connection.executemany("DELETE FROM spool WHERE id = ?", [(row.id,) for row in removal.rows])
    dead_letter.insert(connection, removal.dead)


def _depth(connection: sqlite3.Connection) -> Depth:
    points, size, dead_letters = connection.execute("SELECT points, bytes, dead_letters FROM totals").fetchone()
    oldest = connection.execute("SELECT time_ms FROM spool ORDER BY id LIMIT 1").fetchone()
    return Depth(points, size, oldest and oldest[0], dead_letters)


def _row(blobs: Sequence[Blob], time_ms: int) -> Row:
    return Row(0, time_ms, sum(blob.points for blob in blobs), b"".join(blob.lines for blob in blobs))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

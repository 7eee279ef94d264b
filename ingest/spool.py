"""The spool: a FIFO of line protocol on disk, between the 2xx and InfluxDB."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from ingest import dead_letter, dirty_minutes, spool_rows
from ingest.dead_letter import DeadLetter
from ingest.dirty_minutes import DirtyMinute
from ingest.errors import DiskFailed, SpoolFull
from ingest.fail_points import Point, Reached, never
from ingest.group_commit import GroupCommit
from ingest.lanes import Lane
from ingest.minutes import touched
from ingest.series import kept
from ingest.spool_rows import Row
from ingest.sqlite import connect, give_back, touch, transaction

FILE_NAME = "spool.db"
_NEARLY_FULL = 0.95
_PAGES_A_STEP = 1_000

Result = TypeVar("Result")


class Blob(msgspec.Struct, frozen=True, gc=False):
    """Encoded points, each line ended by a newline. Never split one at a newline: a text may contain some.

    Events and other measurements never share a row: what InfluxDB refuses of the others must not hold up events.
    """

    lines: bytes
    points: int
    are_events: bool = False


class _Append(msgspec.Struct, frozen=True):
    blobs: Sequence[Blob]
    time_ms: int
    series: Sequence[int]


class _Remove(msgspec.Struct, frozen=True):
    rows: Sequence[Row]
    dead: Sequence[DeadLetter]

    def make(self, connection: sqlite3.Connection) -> None:
        spool_rows.delete(connection, self.rows)
        dead_letter.insert(connection, self.dead)
        dirty_minutes.insert(connection, touched(b"".join(row.lines for row in self.rows)))


class _Clean(msgspec.Struct, frozen=True):
    counted: Sequence[DirtyMinute]

    def make(self, connection: sqlite3.Connection) -> None:
        dirty_minutes.delete(connection, self.counted)


class _Learn(msgspec.Struct, frozen=True):
    series: Sequence[int]
    learned_ms: int | None

    def make(self, connection: sqlite3.Connection) -> None:
        kept.insert(connection, self.series)
        if self.learned_ms is not None:
            kept.set_learned(connection, self.learned_ms)


class _Probe(msgspec.Struct, frozen=True):
    def make(self, connection: sqlite3.Connection) -> None:
        touch(connection)


_Change = _Append | _Remove | _Clean | _Learn | _Probe


class Spool:
    """Open one for each data folder. ``depth`` is as of the last commit or read; ``has_learned`` says whether
    ``series`` has all that InfluxDB knew before there was such a list.

    What arrives in one group is joined into rows of up to ``row_points`` and ``row_bytes``: fewer rows, quicker reads.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        row_points: int = 5_000,
        row_bytes: int = 1_000_000,
        reached: Reached = never,
    ) -> None:
        self._max_bytes = max_bytes
        self._row_points = row_points
        self._row_bytes = row_bytes
        self._reached = reached
        self._writer = connect(folder / FILE_NAME, shrinks=True)
        self._writer.executescript(spool_rows.SCHEMA)
        self._reader = connect(folder / FILE_NAME)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool-read")
        self._commits: GroupCommit[_Change] = GroupCommit(self._commit, "spool-write", reached)
        self._unwritten_bytes = 0
        self._failure: str | None = None
        self.depth = spool_rows.depth(self._writer)
        self.has_learned = kept.is_learned(self._writer)
        self.arrived = asyncio.Event()

    async def append(self, blobs: Sequence[Blob], series: Sequence[int] = ()) -> None:
        """Return once ``blobs`` are on disk, and the ids of the ``series`` that they are the first points of.

        Raises SpoolFull or DiskFailed: then none of them is kept.
        """
        size = sum(len(blob.lines) for blob in blobs)
        if self.depth.bytes + self._unwritten_bytes + size > self._max_bytes:
            raise SpoolFull(self._full())
        self._unwritten_bytes += size
        try:
            await self._commit_one(_Append(blobs, _now_ms(), series))
        finally:
            self._unwritten_bytes -= size
        self.arrived.set()

    async def read(self, lane: Lane, max_points: int, max_bytes: int) -> list[Row]:
        """The oldest rows of ``lane``, up to the limits but at least one if there is one."""
        return await self._in_reader(lambda: self._read(lane, max_points, max_bytes))

    async def remove(self, rows: Sequence[Row], dead: Sequence[DeadLetter] = ()) -> None:
        """Forget ``rows``, which InfluxDB has.

        The same commit makes dead letters of the ``dead`` lines it refused, and marks the minutes to count again.
        """
        await self._commit_one(_Remove(rows, dead))

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        """Up to ``limit`` minutes that wait to be counted again, the newest first."""
        return await self._in_reader(lambda: dirty_minutes.select(self._reader, limit))

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        """Forget what was counted, but for what was marked again since ``dirty`` gave it."""
        await self._commit_one(_Clean(counted))

    def series(self) -> set[int]:
        """The ids of all known series; to be asked before anything else is."""
        return kept.select(self._reader)

    async def learn(self, series: Sequence[int], *, all_of_them: bool) -> None:
        """Series that InfluxDB knows; ``all_of_them`` says that there are no more."""
        await self._commit_one(_Learn(series, _now_ms() if all_of_them else None))
        self.has_learned = self.has_learned or all_of_them

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

    async def _in_reader(self, read: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, read)
        except sqlite3.Error as error:
            raise DiskFailed(f"the spool cannot be read: {error}") from error

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
        appends = [change for change in changes if isinstance(change, _Append)]
        rows, series = self._joined(appends), [id_ for append in appends for id_ in append.series]
        others = [change for change in changes if not isinstance(change, _Append)]
        if len(rows) == 1 and not others and not series:
            # One statement commits by itself, and lets other threads run all the while.
            self.depth = self.depth.after(rows[0], spool_rows.insert(self._writer, rows[0]))
            return
        with transaction(self._writer):
            for row in rows:
                spool_rows.insert(self._writer, row)
            kept.insert(self._writer, series)
            for change in others:
                change.make(self._writer)
            depth = spool_rows.depth(self._writer)
            self._reached(Point.IN_COMMIT)
        self.depth = depth
        if depth.points == 0:
            # After a backlog; a step at a time, for the next events wait meanwhile.
            give_back(self._writer, _PAGES_A_STEP)

    def _joined(self, appends: Sequence[_Append]) -> list[Row]:
        blobs = [blob for append in appends for blob in append.blobs]
        groups = [
            *self._grouped([blob for blob in blobs if blob.are_events]),
            *self._grouped([blob for blob in blobs if not blob.are_events]),
        ]
        return [_row(group, appends[0].time_ms) for group in groups]

    def _grouped(self, blobs: Sequence[Blob]) -> Iterator[Sequence[Blob]]:
        group: list[Blob] = []
        points = size = 0
        for blob in blobs:
            points, size = points + blob.points, size + len(blob.lines)
            if group and (points > self._row_points or size > self._row_bytes):
                yield group
                group, points, size = [], blob.points, len(blob.lines)
            group.append(blob)
        if group:
            yield group

    def _read(self, lane: Lane, max_points: int, max_bytes: int) -> list[Row]:
        rows = spool_rows.select(self._reader, lane, max_points, max_bytes)
        self.depth = spool_rows.depth(self._reader)
        return rows


def _row(blobs: Sequence[Blob], time_ms: int) -> Row:
    return Row(0, time_ms, sum(blob.points for blob in blobs), b"".join(blob.lines for blob in blobs))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

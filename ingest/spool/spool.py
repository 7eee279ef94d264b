"""The spool: a FIFO of line protocol on disk, between the 2xx and InfluxDB."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeVar

import structlog

from ingest.errors import DeadLettersFull, DiskFailed, SpoolFull
from ingest.fail_points import Point, Reached, never
from ingest.group_commit import GroupCommit
from ingest.minutes import Mark
from ingest.series import kept
from ingest.spool import damaged_rows, dirty_minutes
from ingest.spool import rows as spool_rows
from ingest.spool.changes import (
    Append,
    Blob,
    Change,
    Clean,
    Learn,
    MendMarks,
    Probe,
    Quarantine,
    Remove,
    Restore,
    SetAside,
    joined,
)
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.file import SpoolFile
from ingest.spool.lanes import Lane
from ingest.spool.rows import Depth, Row, Selected
from ingest.sqlite import give_back, is_damage, is_full, transaction

_NEARLY_FULL = 0.95
_PAGES_A_STEP = 1_000
_CLOSED_SECONDS = 1.0
# How often all rows are added up while few wait.
_AUDIT_SECONDS = 5.0

Result = TypeVar("Result")


class Spool:
    """Open one for each data folder. ``depth`` is as of the last commit or read; ``has_learned`` says whether
    ``series`` has all that InfluxDB knew before there was such a list.

    What arrives in one group is joined into rows of up to ``row_points`` and ``row_bytes``: fewer rows, quicker reads.
    A row that is not as it was written is kept apart, a file that is broken is set aside: then the spool goes on empty.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        row_points: int = 5_000,
        row_bytes: int = 1_000_000,
        *,
        max_dead_letter_bytes: int = 2**30,
        reached: Reached = never,
        reserve_bytes: int = 16 * 2**20,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_dead_letter_bytes = max_dead_letter_bytes
        self._row_points = row_points
        self._row_bytes = row_bytes
        self._reached = reached
        self._log = structlog.get_logger("spool")
        self._file = SpoolFile(folder, reserve_bytes)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool-read")
        self._commits: GroupCommit[Change] = GroupCommit(self._commit, "spool-write", reached)
        self._unwritten_bytes = 0
        self._failure: str | None = None
        self._closed_until = 0.0
        self._audit_at = 0.0
        self._learns_into: int | None = None
        self.depth = spool_rows.depth(self._file.writer)
        # Odd while a commit runs: what was read meanwhile may be of before it, or hold what it will add itself.
        self._turn = 0
        self._turning = Lock()
        self.has_learned = self._file.has_learned
        self.arrived = asyncio.Event()

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def dead_letters_full(self) -> bool:
        """Whether nothing but events is taken: a sender's mistake, or malice, must not fill the disk."""
        return self.depth.dead_letter_bytes >= self._max_dead_letter_bytes

    async def append(self, blobs: Sequence[Blob], series: Sequence[int] = (), *, are_salvaged: bool = False) -> None:
        """Return once ``blobs`` are on disk, and the ids of the ``series`` that they are the first points of.

        Raises SpoolFull, DeadLettersFull or DiskFailed: then none of them is kept. Those that ``are_salvaged`` were
        acked once, so that no limit for senders keeps them out.
        """
        if self.dead_letters_full and not are_salvaged and not all(blob.are_events for blob in blobs):
            raise DeadLettersFull(self._max_dead_letter_bytes)
        size = sum(len(blob.lines) for blob in blobs)
        if self._failure and time.monotonic() < self._closed_until:
            raise DiskFailed(self._failure)
        if self.depth.bytes + self._unwritten_bytes + size > self._max_bytes:
            raise SpoolFull(self._full())
        self._unwritten_bytes += size
        try:
            await self._commit_one(Append(blobs, _now_ms(), series))
        finally:
            self._unwritten_bytes -= size
        self.arrived.set()

    async def read(self, lane: Lane, max_points: int, max_bytes: int) -> list[Row]:
        """The oldest rows of ``lane``, up to the limits but at least one if there is one.

        Rows that are not as they were written leave the queue on the way. Raises DiskFailed.
        """
        while True:
            selected = await self._in_reader(lambda reader: self._read(reader, lane, max_points, max_bytes))
            if not selected.damaged:
                return selected.rows
            await self._quarantine(selected.damaged)

    async def remove(self, rows: Sequence[Row], dead: Sequence[DeadLetter] = ()) -> None:
        """Forget ``rows``, which InfluxDB has.

        The same commit makes dead letters of the ``dead`` lines it refused, and marks the minutes to count again.
        """
        await self._commit_one(Remove(rows, dead))

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        """Up to ``limit`` minutes that wait to be counted again, the newest first."""
        while True:
            selected = await self._in_reader(lambda reader: dirty_minutes.select(reader, limit))
            if not selected.damaged:
                return selected.marks
            self._log.error("marks_damaged", marks=len(selected.damaged), examples=selected.damaged[:10])
            await self._commit_one(MendMarks())

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        """Forget what was counted, but for what was marked again since ``dirty`` gave it."""
        await self._commit_one(Clean(counted))

    def series(self) -> set[int]:
        """The ids of all series that were known at the start; to be asked once."""
        return self._file.take_series()

    async def learn(self, series: Sequence[int], *, all_of_them: bool) -> None:
        """Series that InfluxDB knows; ``all_of_them`` says that there are no more.

        Where the file was replaced since the first of them, the next start has to ask again.
        """
        if self._learns_into is None:
            self._learns_into = self._file.first_id
        await self._commit_one(Learn(series, _now_ms() if all_of_them else None, self._learns_into))
        self.has_learned = self.has_learned or all_of_them

    async def restore(
        self, letters: Sequence[DeadLetter], damaged: Sequence[DamagedRow], marks: Iterable[Mark]
    ) -> None:
        """Take in what was found, beside points, in a file that was set aside."""
        await self._commit_one(Restore(letters, damaged, marks))

    async def damaged_rows(self) -> int:
        """How many rows are kept apart. Raises DiskFailed."""
        return await self._in_reader(damaged_rows.total)

    async def trouble(self) -> str | None:
        """Why nothing more is taken now, or None. After a failure it tries the disk, which may be well again."""
        if self._failure is not None:
            try:
                await self._commit_one(Probe())
            except DiskFailed as error:
                return str(error)
        return self._full() if self.depth.bytes >= self._max_bytes * _NEARLY_FULL else None

    async def close(self) -> None:
        """Commit what waits; then no other call may come."""
        await self._commits.close()
        self._reading.shutdown()
        self._file.close()

    async def _in_reader(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        first_id = self._file.first_id
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, self._file.read, read)
        except sqlite3.Error as error:
            if is_damage(error):
                await self._commit_one(SetAside(first_id, str(error)))
            raise DiskFailed(f"the spool cannot be read: {error}") from error

    async def _quarantine(self, damaged: Sequence[DamagedRow]) -> None:
        await self._commit_one(Quarantine(damaged))
        self._log.error("rows_damaged", rows=len(damaged), ids=[row.id for row in damaged[:10]])

    async def _commit_one(self, change: Change) -> None:
        try:
            await self._commits.add(change)
        except (sqlite3.Error, OSError) as error:
            self._failure = f"the spool cannot be written: {error}"
            if is_full(error):
                # Shipped rows are removed meanwhile: a group with new ones among them would fail as a whole.
                self._closed_until = time.monotonic() + _CLOSED_SECONDS
            raise DiskFailed(self._failure) from error
        self._failure = None

    def _full(self) -> str:
        return f"the spool is full ({self._max_bytes} bytes): the store has to take some of it first"

    def _commit(self, changes: Sequence[Change]) -> None:
        self._take_turn()
        try:
            self._commit_all(changes)
        finally:
            self._take_turn()

    def _take_turn(self) -> None:
        with self._turning:
            self._turn += 1

    def _commit_all(self, changes: Sequence[Change]) -> None:
        if self._file.reopen():
            self.depth = Depth()
        new = [change for change in changes if isinstance(change, Append | Probe)]
        if new:
            self._file.hold_room(sum(change.bytes for change in new))
        try:
            last_id = self._write(changes)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self._file.replace(str(error), self.depth)
                self.depth = Depth()
            elif is_full(error) and not new:
                self._file.make_room()
            else:
                raise
            last_id = self._write(changes)
        if not new:
            self._file.regain_room()
        self._file.committed(last_id, self.depth)

    def _write(self, changes: Sequence[Change]) -> int:
        """The newest row's id, 0 if there is no new one."""
        writer = self._file.writer
        appends = [change for change in changes if isinstance(change, Append)]
        rows = joined(appends, self._row_points, self._row_bytes)
        series = [id_ for append in appends for id_ in append.series]
        others = [change for change in changes if not isinstance(change, Append)]
        if len(rows) == 1 and not others and not series:
            # One statement commits by itself, and lets other threads run all the while.
            with self._file.commits.one():
                last_id = spool_rows.insert(writer, rows[0])
            self.depth = self.depth.after(rows[0], last_id)
            return last_id
        with self._file.commits.one(), transaction(writer):
            ids = [spool_rows.insert(writer, row) for row in rows]
            kept.insert(writer, series)
            for change in others:
                change.make(writer, self._file.first_id)
            depth = spool_rows.depth(writer)
            self._reached(Point.IN_COMMIT)
        self.depth = depth
        if depth.points == 0:
            self._shrink()
        return max(ids, default=0)

    def _shrink(self) -> None:
        """After a backlog; a step at a time, for the next events wait meanwhile."""
        try:
            with self._file.commits.one():
                give_back(self._file.writer, _PAGES_A_STEP)
        except sqlite3.Error as error:
            # What was committed is: nobody who waits for that may hear of this.
            self._log.warning("spool_not_shrunk", reason=str(error))

    def _read(self, reader: sqlite3.Connection, lane: Lane, max_points: int, max_bytes: int) -> Selected:
        turn = self._turn
        selected = spool_rows.select(reader, lane, max_points, max_bytes)
        if not any(selected) and time.monotonic() >= self._audit_at:
            self._audit_at = time.monotonic() + _AUDIT_SECONDS
            selected = Selected([], spool_rows.audit(reader))
        depth = spool_rows.depth(reader)
        with self._turning:
            if self._turn == turn and turn % 2 == 0:
                self.depth = depth
        return selected


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

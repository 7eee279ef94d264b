"""The backlog: rows of line protocol in a database, which wait for InfluxDB for longer than memory should hold them."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeVar

import structlog

from ingest.errors import DiskFailed
from ingest.fail_points import Point, Reached
from ingest.group_commit import GroupCommit
from ingest.minutes import Mark
from ingest.series import kept
from ingest.spool import damaged_rows, dirty_minutes
from ingest.spool import rows as spool_rows
from ingest.spool.changes import (
    Append,
    Change,
    Clean,
    Learn,
    MendMarks,
    Probe,
    Quarantine,
    Remove,
    Restore,
    SetAside,
    Tell,
    joined,
)
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.disk import Disk
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


class Backlog:
    """Open one for each data folder. ``depth`` is as of the last commit or read; ``has_learned`` says whether
    ``series`` has all that InfluxDB knew before there was such a list.

    What arrives in one group is joined into rows of up to ``row_points`` and ``row_bytes``: fewer rows, quicker reads.
    A row that is not as it was written is kept apart, a file that is broken is set aside for an empty one.
    """

    def __init__(
        self,
        folder: Path,
        row_points: int,
        row_bytes: int,
        *,
        reached: Reached,
        reserve_bytes: int,
    ) -> None:
        self.disk = Disk()
        self._row_points = row_points
        self._row_bytes = row_bytes
        self._reached = reached
        self._log = structlog.get_logger("spool")
        self._file = SpoolFile(folder, reserve_bytes)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool-read")
        self._commits: GroupCommit[Change] = GroupCommit(self._commit, "spool-write", reached)
        self._audit_at = 0.0
        self._learns_into: int | None = None
        self.depth = spool_rows.depth(self._file.writer)
        # Odd while a commit runs: what was read meanwhile may be of before it, or hold what it will add itself.
        self._turn = 0
        self._turning = Lock()
        self.has_learned = self._file.has_learned

    @property
    def path(self) -> Path:
        return self._file.path

    def look(self) -> None:
        """Raises DiskFailed where the file is gone: what is committed then goes with the service."""
        try:
            is_there = self._file.is_there()
        except OSError as error:
            raise DiskFailed(f"{self.path.name} is out of reach: {error}") from error
        if not is_there:
            raise DiskFailed(f"{self.path.name} is gone")

    async def append(self, append: Append) -> None:
        """Return once it is on disk. Raises DiskFailed: then none of it is kept."""
        self.look()
        await self._commit_one(append)

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

    async def mark(self, marks: Iterable[Mark], damaged: Sequence[DamagedRow] = ()) -> None:
        """Remember that these minutes have to be counted again, and what is ``damaged`` elsewhere.

        Raises DiskFailed.
        """
        self.look()
        await self._commit_one(Tell(marks, damaged))

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
        await self._commit_one(Learn(series, now_ms() if all_of_them else None, self._learns_into))
        self.has_learned = self.has_learned or all_of_them

    async def restore(
        self, letters: Sequence[DeadLetter], damaged: Sequence[DamagedRow], marks: Iterable[Mark]
    ) -> None:
        """Take in what was found, beside points, in a file that was set aside."""
        await self._commit_one(Restore(letters, damaged, marks))

    async def damaged_rows(self) -> int:
        """How many rows are kept apart. Raises DiskFailed."""
        return await self._in_reader(damaged_rows.total)

    async def probe(self) -> None:
        """Raises DiskFailed if the disk takes nothing."""
        await self._commit_one(Probe())

    def hold_room(self, for_bytes: int) -> None:
        """Before ``for_bytes`` are written elsewhere, which may be moved in. Raises OSError where there is none."""
        self._file.hold_room(for_bytes)

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
        await self.disk.committed(self._commits.put(change))

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


def now_ms() -> int:
    """Unix time."""
    return time.time_ns() // 1_000_000

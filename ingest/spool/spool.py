"""The spool: what is on disk between the 2xx and InfluxDB."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from ingest.errors import DeadLettersFull, DiskFailed, SpoolFull
from ingest.fail_points import Reached, never
from ingest.group_commit import GroupCommit
from ingest.minutes import Mark, merged, touched
from ingest.seldom import Seldom
from ingest.spool.backlog import Backlog, now_ms
from ingest.spool.changes import Append, Blob, joined
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.disk import Disk
from ingest.spool.journal import Journal
from ingest.spool.rows import Depth
from ingest.spool.segment import Record
from ingest.spool.set_aside import note_loss
from ingest.spool.untold import Untold
from ingest.spool.waiting import JournalRow, Waiting

_NEARLY_FULL = 0.95
# Longer than a write takes: events that have waited for so long are a backlog.
_LATE_SECONDS = 2.0
# Other commits wait for one that moves so much, and it needs twice as much room on the disk.
_MOVED_BYTES = 4 * 2**20
_TEND_SECONDS = 0.25
_STUCK = 2
# The longest that an ack is held back although its events are on disk.
_CROWD_SECONDS = 0.2
_MARK_SECONDS = 1.0
# So many small appends in one group say that more will come in a moment.
_THICK = 4
_THIN_BYTES = 64 * 2**10
_REST_SECONDS = 0.001


class Spool:
    """Open one for each data folder; ``tend`` has to run beside.

    Events of known series go into the journal, are kept in memory and shipped from there: what waits for too long is
    moved to the backlog, a database, where the first events of a series and other measurements are from the start.
    ``row_points`` and ``row_bytes`` are the most that small appends are joined to. Memory holds ``max_waiting_bytes``
    of what is to be shipped; above ``crowd_bytes`` an ack waits a little while InfluxDB takes what there is. The
    journal's files, which the next start reads into memory, take ``max_journal_bytes`` and hardly more.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        row_points: int = 5_000,
        row_bytes: int = 1_000_000,
        *,
        max_dead_letter_bytes: int = 2**30,
        max_waiting_bytes: int = 48 * 2**20,
        max_journal_bytes: int = 384 * 2**20,
        crowd_bytes: int = 8 * 2**20,
        reached: Reached = never,
        reserve_bytes: int = 16 * 2**20,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_dead_letter_bytes = max_dead_letter_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._max_journal_bytes = max_journal_bytes
        self._row_points = row_points
        self._row_bytes = row_bytes
        self._log = structlog.get_logger("spool")
        self._tell_of_disk = Seldom(self._log.error)
        self._disk = Disk()
        self.backlog = Backlog(folder, row_points, row_bytes, reached=reached, reserve_bytes=reserve_bytes)
        self._journal = Journal(folder, reached=reached)
        self._commits: GroupCommit[Append] = GroupCommit(
            self._commit, "journal-write", reached, rest_seconds=_rest_seconds
        )
        self._unwritten_bytes = 0
        # What the backlog has to be told before the journal forgets it.
        self._untold, self._told = Untold(), Untold()
        self._telling = asyncio.Lock()
        self.waiting = Waiting(crowd_bytes)
        self.arrived = asyncio.Event()
        self._held_back: set[asyncio.Future[None]] = set()
        self._recover()

    @property
    def path(self) -> Path:
        return self.backlog.path

    @property
    def depth(self) -> Depth:
        """As of the last commit or read."""
        stored, waiting = self.backlog.depth, self.waiting
        oldest = [ms for ms in (stored.oldest_ms, waiting.oldest_ms) if ms is not None]
        return msgspec.structs.replace(
            stored,
            points=stored.points + waiting.points,
            bytes=stored.bytes + waiting.bytes,
            oldest_ms=min(oldest, default=None),
            dirty_minutes=stored.dirty_minutes + len(self._untold.marks) + len(self._told.marks),
        )

    @property
    def dead_letters_full(self) -> bool:
        """Whether nothing but events is taken: a sender's mistake, or malice, must not fill the disk."""
        return self.backlog.depth.dead_letter_bytes >= self._max_dead_letter_bytes

    async def append(self, blobs: Sequence[Blob], series: Sequence[int] = (), *, are_salvaged: bool = False) -> None:
        """Return once ``blobs`` are on disk, and the ids of the ``series`` that they are the first points of.

        Raises SpoolFull, DeadLettersFull or DiskFailed: then none of them is kept. Those that ``are_salvaged`` were
        acked once, so that no limit for senders keeps them out.
        """
        if self.dead_letters_full and not are_salvaged and not all(blob.are_events for blob in blobs):
            raise DeadLettersFull(self._max_dead_letter_bytes)
        append = Append(blobs, now_ms(), series)
        size = append.bytes
        disk = self.backlog.disk if series or None in [blob.marks for blob in blobs] else self._disk
        disk.check()
        if disk is self._disk and (stuck := self._stuck()):
            raise SpoolFull(stuck)
        if self.backlog.depth.bytes + self.waiting.bytes + self._unwritten_bytes + size > self._max_bytes:
            raise SpoolFull(self._full())
        self._unwritten_bytes += size
        try:
            if disk is self._disk:
                await disk.committed(self._commits.put(append))
            else:
                await self.backlog.append(append)
        finally:
            self._unwritten_bytes -= size
        self.arrived.set()
        if self.waiting.is_crowded:
            await self._let_pass()

    async def _let_pass(self) -> None:
        """Have a sender wait who is quicker than InfluxDB: what memory cannot hold takes the long way."""
        loop = asyncio.get_running_loop()
        passing: asyncio.Future[None] = loop.create_future()
        self._held_back.add(passing)
        # Not a time-out: whoever appends need not be a task.
        timer = loop.call_later(_CROWD_SECONDS, _let_go, [passing])
        try:
            await passing
        finally:
            timer.cancel()
            self._held_back.discard(passing)

    def take(self, max_points: int, max_bytes: int) -> list[JournalRow]:
        """The oldest rows of ``waiting``, to be shipped: up to the limits but at least one if there is one."""
        rows = self.waiting.take(max_points, max_bytes)
        if self._held_back and not self.waiting.is_crowded:
            _let_go(self._held_back)
        return rows

    async def stored(self, rows: Sequence[JournalRow]) -> None:
        """InfluxDB has these, which were taken."""
        unknown = [row.lines for row in rows if row.marks is None]
        marks = await asyncio.to_thread(touched, b"".join(unknown)) if unknown else set[Mark]()
        self.waiting.forget(rows)
        self._untold.marks.update(marks, *(row.marks for row in rows if row.marks))
        self._untold.released.update(row.segment for row in rows)

    async def move(self, rows: Sequence[JournalRow]) -> None:
        """Take these into the backlog, which were taken. Raises DiskFailed: whoever has taken them still has them."""
        blobs = [Blob(row.lines, row.points, are_events=True) for row in rows]
        await self.backlog.append(Append(blobs, rows[0].time_ms))
        self.waiting.forget(rows)
        for row in rows:
            self._journal.release(row.segment, 1)
        self.arrived.set()

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        """Up to ``limit`` minutes that wait to be counted again, the newest first."""
        await self._tell()
        return await self.backlog.dirty(limit)

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        """Forget what was counted, but for what was marked again since ``dirty`` gave it."""
        await self.backlog.clean(counted)

    async def trouble(self) -> str | None:
        """Why nothing more is taken now, or None. After a failure it tries the disk, which may be well again."""
        try:
            if self.backlog.disk.failure is not None or self._disk.failure is not None:
                await self.backlog.probe()
            self.backlog.look()
            if self._disk.failure is not None:
                await self._disk.committed(self._commits.put(Append((), now_ms())))
        except DiskFailed as error:
            return str(error)
        if stuck := self._stuck():
            return stuck
        return self._full() if self.depth.bytes >= self._max_bytes * _NEARLY_FULL else None

    async def tend(self) -> None:
        """For ever: move what is late into the backlog, and mark what was shipped."""
        mark_at = 0.0
        has_moved = False
        while True:
            if not has_moved:
                await asyncio.sleep(_TEND_SECONDS)
            try:
                has_moved = await self._move_late()
                if time.monotonic() >= mark_at:
                    mark_at = time.monotonic() + _MARK_SECONDS
                    await self._tell()
            except DiskFailed as error:
                has_moved = False
                # Nothing is lost by it: it is in the journal, and is tried again.
                self._tell_of_disk("spool_not_tended", reason=str(error))

    async def close(self) -> None:
        """Commit what waits; then no other call may come."""
        await self._commits.close()
        try:
            await self._tell()
        except DiskFailed as error:
            # The next start ships these events once more, and marks their minutes then.
            self._log.warning("journal_kept", reason=str(error))
        self._journal.close()
        await self.backlog.close()

    def _stuck(self) -> str | None:
        """Why the journal takes no more, None if it does: memory or the disk has far more of it than it should."""
        if self.waiting.bytes > _STUCK * self._max_waiting_bytes:
            where = f"{self.waiting.bytes} bytes wait in memory"
        elif self._journal.size_bytes > self._max_journal_bytes:
            where = f"the journal's files have {self._journal.size_bytes} bytes"
        else:
            return None
        return f"{where}: the backlog on disk does not take them as fast as they come"

    def _full(self) -> str:
        return f"the spool is full ({self._max_bytes} bytes): the store has to take some of it first"

    def _commit(self, appends: Sequence[Append]) -> None:
        rows = joined(appends, self._row_points, self._row_bytes)
        self.backlog.hold_room(sum(append.bytes for append in appends))
        segment = self._journal.append([Record(row.time_ms, row.points, row.lines) for row in rows])
        marks = frozenset[Mark]().union(*(blob.marks or () for append in appends for blob in append.blobs))
        now = time.monotonic()
        self.waiting.add([JournalRow(row.time_ms, row.points, row.lines, marks, segment, now) for row in rows])

    async def _move_late(self) -> bool:
        """Whether there was something late; of much it moves a part."""
        late = self.waiting.take_late(_LATE_SECONDS, self._max_waiting_bytes, _MOVED_BYTES)
        try:
            if late:
                await self.move(late)
        except BaseException:
            self.waiting.put_back(late)
            raise
        return bool(late)

    async def _tell(self) -> None:
        """Put on disk which minutes shipped events touched, and what is broken: then the journal may forget both."""
        async with self._telling:
            self._told, self._untold = self._untold, Untold()
            try:
                self._told.marks = merged(self._told.marks)
                if self._told.released:
                    await self.backlog.mark(self._told.marks, self._told.damaged)
            except BaseException:
                self._untold.add(self._told)
                raise
            else:
                for segment, records in self._told.released.items():
                    self._journal.release(segment, records)
            finally:
                self._told = Untold()

    def _recover(self) -> None:
        """What a crash has left in the journal waits again; what the disk altered there is kept apart."""
        now = time.monotonic()
        rows: list[JournalRow] = []
        for segment, contents in self._journal.recover():
            for found in contents:
                if isinstance(found, Record):
                    rows.append(JournalRow(found.time_ms, found.points, found.lines, None, segment, now))
                else:
                    self._untold.add_broken(found, segment)
        self.waiting.add(rows)
        if self._journal.is_missed:
            reason = "the newest of the journal's files is gone, with what InfluxDB had not got yet of it"
            note_loss(self.path, reason)
            self._log.error("journal_missing", reason=reason)
        if rows or self._untold.damaged:
            self._log.info("journal_recovered", points=self.waiting.points, damaged=len(self._untold.damaged))


def _rest_seconds(appends: Sequence[Append]) -> float:
    """A commit costs as much for one lone event as for many: where they come thick, they share it."""
    are_thick = len(appends) >= _THICK and sum([append.bytes for append in appends]) < _THIN_BYTES
    return _REST_SECONDS if are_thick else 0.0


def _let_go(held_back: Iterable[asyncio.Future[None]]) -> None:
    for passing in held_back:
        if not passing.done():
            passing.set_result(None)

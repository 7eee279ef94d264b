"""Takes what is whole in a file that was set aside back into the spool, beside the service's work."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from threading import Event

import msgspec
import structlog

from ingest.errors import DiskFailed, SpoolFull
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import mended
from ingest.salvage.found import Found, Totals, Unreadable, found_in
from ingest.spool.changes import Blob
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Row
from ingest.spool.set_aside import Note, forget, notes, write
from ingest.spool.spool import Spool

_EVENT = MEASUREMENT.encode() + b","
_AT_ONCE = 500
_BYTES_AT_ONCE = 4 * 2**20


class Salvage:
    """Runs until cancelled. A row that had left the spool already may be taken in again: points land on themselves."""

    def __init__(self, spool: Spool, rest_seconds: float = 1.0) -> None:
        self._spool = spool
        self._rest_seconds = rest_seconds
        self._log = structlog.get_logger("salvage")
        self.notes: list[Note] = []
        self.damaged_rows = 0
        # By the file's name, why it could not be read to its end; each is tried once a start.
        self._failed: dict[str, str] = {}
        self._tried: set[str] = set()
        self._found: list[Note] = []
        self._stopped = Event()

    async def run(self) -> None:
        """Look for files that were set aside, for ever."""
        try:
            while True:
                await self._look()
                for note in self._found:
                    if not note.done and note.file not in self._tried:
                        self._tried.add(note.file)
                        await self._save(note)
                await asyncio.sleep(self._rest_seconds)
        finally:
            # The thread that looks for rows is not cancelled with who waits for it.
            self._stopped.set()

    def warnings(self) -> list[str]:
        """What the operator should know until the files are removed."""
        rows = self.damaged_rows
        kept = [
            f"{rows} rows of the spool were damaged on the disk and not shipped: `ingest damaged-rows list` has them"
        ] * bool(rows)
        failed = [
            f"what is left in {note.file} could not be saved ({self._failed[note.file]}): it is tried again at the next"
            " start, and the log says more"
            for note in self.notes
            if note.file in self._failed
        ]
        return [*kept, *failed, *(note.sentence() for note in self.notes)]

    async def _look(self) -> None:
        with suppress(OSError):
            # Those of before are as good, until the folder can be read again.
            self._found = await asyncio.to_thread(notes, self._spool.path)
        self.notes = [note for note in self._found if note.is_missed]
        with suppress(DiskFailed):
            # Whoever appends or ships hears of it, too, and says so.
            self.damaged_rows = await self._spool.backlog.damaged_rows()

    async def _save(self, note: Note) -> None:
        path = self._spool.path.with_name(note.file)
        # Points that an earlier start has saved land on themselves; letters and damaged rows would be there twice.
        before = note
        note = msgspec.structs.replace(note, points=0, dead_letters=0, damaged_rows=0, unreadable=0)
        try:
            batches = _batches(found_in(path, self._stopped.is_set, only_behind=note.only_log))
            while batch := await asyncio.to_thread(next, batches, None):
                note = await self._take(note, batch, before)
            await self._end(note)
        except Exception as error:
            # Whatever it is, it is no reason to end the service; the file stays as it is, for the next start.
            self._log.exception("salvage_failed", file=note.file)
            self._failed[note.file] = f"{type(error).__name__}: {error}"

    async def _end(self, note: Note) -> None:
        folder = self._spool.path.parent
        if not note.is_missed:
            await asyncio.to_thread(forget, folder, note)
            self._log.info("log_salvaged", points=note.points)
            return
        note = msgspec.structs.replace(note, done=True)
        await asyncio.to_thread(write, folder, note)
        self._log.error("salvaged", **msgspec.structs.asdict(note))

    async def _take(self, note: Note, batch: list[Found], before: Note) -> Note:
        rows = [thing for thing in batch if isinstance(thing, Row)]
        letters = [thing for thing in batch if isinstance(thing, DeadLetter) and thing.id > note.letter_id]
        damaged = [thing for thing in batch if isinstance(thing, DamagedRow) and _counts(thing, note)]
        totals = [thing.points for thing in batch if isinstance(thing, Totals)]
        marks = {mended(thing.mark) for thing in batch if isinstance(thing, DirtyMinute)}
        new_letters = letters[max(0, before.dead_letters - note.dead_letters) :]
        new_damaged = damaged[max(0, before.damaged_rows - note.damaged_rows) :]
        await self._until_taken(lambda: self._spool.append([_blob(row) for row in rows], are_salvaged=True))
        new_marks = [mark for mark in marks if mark]
        await self._until_taken(lambda: self._spool.backlog.restore(new_letters, new_damaged, new_marks))
        note = msgspec.structs.replace(
            note,
            held_points=totals[-1] if totals else note.held_points,
            points=note.points + sum(row.points for row in rows),
            dead_letters=note.dead_letters + len(letters),
            damaged_rows=note.damaged_rows + len(damaged),
            unreadable=note.unreadable + (None in marks) + sum(isinstance(thing, Unreadable) for thing in batch),
        )
        if new_letters or new_damaged:
            await asyncio.to_thread(write, self._spool.path.parent, _furthest(note, before))
        return note

    async def _until_taken(self, give: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await give()
            except (SpoolFull, DiskFailed):
                # There may be room when some of it is shipped.
                await asyncio.sleep(self._rest_seconds)


def _furthest(note: Note, before: Note) -> Note:
    """How far this start and those before it have come."""
    return msgspec.structs.replace(
        note,
        dead_letters=max(note.dead_letters, before.dead_letters),
        damaged_rows=max(note.damaged_rows, before.damaged_rows),
    )


def _counts(damaged: DamagedRow, note: Note) -> bool:
    """What is in the file that went on, or what nobody was told of, does not."""
    return not note.only_log or (note.is_missed and damaged.id > note.row_id and damaged.crc is not None)


def _blob(row: Row) -> Blob:
    return Blob(row.lines, row.points, are_events=row.lines.startswith(_EVENT))


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for thing in found:
        batch.append(thing)
        size += len(thing.lines) if isinstance(thing, Row) else 0
        if len(batch) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch

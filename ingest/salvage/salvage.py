"""Takes what is whole in a file that was set aside back into the spool, beside the service's work."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import structlog

from ingest.errors import DiskFailed, SpoolFull
from ingest.line_protocol import MEASUREMENT
from ingest.salvage.found import Found, Totals, Unreadable, found_in
from ingest.spool.changes import Blob
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Row
from ingest.spool.set_aside import Note, notes, write
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
        self._failed: set[str] = set()

    async def run(self) -> None:
        """Look for files that were set aside, for ever."""
        while True:
            await self._look()
            for note in self.notes:
                if not note.done and note.file not in self._failed:
                    await self._save(note)
            await asyncio.sleep(self._rest_seconds)

    def warnings(self) -> list[str]:
        """What the operator should know until the files are removed."""
        rows = self.damaged_rows
        kept = [
            f"{rows} rows of the spool were damaged on the disk and not shipped: `ingest damaged-rows list` has them"
        ] * bool(rows)
        return [*kept, *(note.sentence() for note in self.notes)]

    async def _look(self) -> None:
        self.notes = await asyncio.to_thread(notes, self._spool.path)
        with suppress(DiskFailed):
            # Whoever appends or ships hears of it, too, and says so.
            self.damaged_rows = await self._spool.damaged_rows()

    async def _save(self, note: Note) -> None:
        path = self._spool.path.with_name(note.file)
        # Whatever an earlier start has saved is shipped, or is found again.
        note = Note(note.file, note.reason, note.found_ms, held_points=note.held_points)
        batches = _batches(found_in(path))
        try:
            while batch := await asyncio.to_thread(next, batches, None):
                note = await self._take(note, batch)
        except Exception as error:
            # Whatever it is, it is no reason to end the service; the file stays as it is, for the next start.
            self._log.error("salvage_failed", file=note.file, reason=repr(error))
            self._failed.add(note.file)
            return
        note = msgspec.structs.replace(note, done=True)
        await asyncio.to_thread(write, path.parent, note)
        self._log.error("salvaged", **msgspec.structs.asdict(note))

    async def _take(self, note: Note, batch: list[Found]) -> Note:
        rows = [thing for thing in batch if isinstance(thing, Row)]
        letters = [thing for thing in batch if isinstance(thing, DeadLetter)]
        damaged = [thing for thing in batch if isinstance(thing, DamagedRow)]
        totals = [thing.points for thing in batch if isinstance(thing, Totals)]
        marks = {thing.mark for thing in batch if isinstance(thing, DirtyMinute)}
        while True:
            try:
                await self._spool.append([_blob(row) for row in rows])
                await self._spool.restore(letters, damaged, marks)
                break
            except (SpoolFull, DiskFailed):
                # There may be room when some of it is shipped.
                await asyncio.sleep(self._rest_seconds)
        return msgspec.structs.replace(
            note,
            held_points=totals[-1] if totals else note.held_points,
            points=note.points + sum(row.points for row in rows),
            dead_letters=note.dead_letters + len(letters),
            damaged_rows=note.damaged_rows + len(damaged),
            unreadable=note.unreadable + sum(isinstance(thing, Unreadable) for thing in batch),
        )


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

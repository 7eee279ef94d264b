"""What one commit of the spool may be made of."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ingest.minutes import Mark, touched
from ingest.series import kept
from ingest.spool import damaged_rows, dead_letter, dirty_minutes
from ingest.spool import rows as spool_rows
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Row
from ingest.sqlite import Damaged, touch


class Blob(msgspec.Struct, frozen=True, gc=False):
    """Encoded points, each line ended by a newline. Never split one at a newline: a text may contain some.

    Events and other measurements never share a row: what InfluxDB refuses of the others must not hold up events.
    ``marks`` are the minutes that events touch, None where they are not known yet.
    """

    lines: bytes
    points: int
    are_events: bool = False
    marks: frozenset[Mark] | None = None


class Append(msgspec.Struct, frozen=True):
    """New points, which share rows with others of the same group; ``series`` are those they are the first of."""

    blobs: Sequence[Blob]
    time_ms: int
    series: Sequence[int] = ()

    @property
    def bytes(self) -> int:
        return sum([len(blob.lines) for blob in self.blobs])


class Remove(msgspec.Struct, frozen=True):
    """What InfluxDB has, or refuses; ``rows`` may be of a file that has been set aside since."""

    rows: Sequence[Row]
    dead: Sequence[DeadLetter]

    def make(self, connection: sqlite3.Connection, first_id: int) -> None:
        spool_rows.delete(connection, [row for row in self.rows if row.id >= first_id])
        dead_letter.insert(connection, self.dead)
        dirty_minutes.insert(connection, touched(b"".join(row.lines for row in self.rows)))


class Clean(msgspec.Struct, frozen=True):
    """Minutes that have been counted."""

    counted: Sequence[DirtyMinute]

    def make(self, connection: sqlite3.Connection, _: int) -> None:
        dirty_minutes.delete(connection, self.counted)


class MendMarks(msgspec.Struct, frozen=True):
    """Some of the minutes that wait to be counted are not as they were marked."""

    def make(self, connection: sqlite3.Connection, _: int) -> None:
        dirty_minutes.mend(connection)


class Learn(msgspec.Struct, frozen=True):
    """Series that InfluxDB knows; with ``learned_ms`` there are no more, and the file that begins with ``first_id``
    has them all."""

    series: Sequence[int]
    learned_ms: int | None
    first_id: int

    def make(self, connection: sqlite3.Connection, first_id: int) -> None:
        kept.insert(connection, self.series)
        if self.learned_ms is not None and self.first_id == first_id:
            kept.set_learned(connection, self.learned_ms)


class Probe(msgspec.Struct, frozen=True):
    """Nothing, written to the disk, where there is room for something."""

    bytes = 2**20

    def make(self, connection: sqlite3.Connection, _: int) -> None:
        touch(connection)


class Quarantine(msgspec.Struct, frozen=True):
    """Rows that are not as they were written leave the queue, and are kept."""

    rows: Sequence[DamagedRow]

    def make(self, connection: sqlite3.Connection, first_id: int) -> None:
        rows = [row for row in self.rows if row.id >= first_id]
        damaged_rows.insert(connection, rows)
        spool_rows.delete(connection, rows)
        # What they said of their points may be what was altered, and it was taken off the totals.
        spool_rows.total_anew(connection)


class Restore(msgspec.Struct, frozen=True):
    """What was found beside the points in a file that was set aside."""

    letters: Sequence[DeadLetter]
    damaged: Sequence[DamagedRow]
    marks: Iterable[Mark]

    def make(self, connection: sqlite3.Connection, _: int) -> None:
        dead_letter.insert(connection, self.letters)
        damaged_rows.insert(connection, self.damaged)
        dirty_minutes.insert(connection, self.marks)


class Tell(msgspec.Struct, frozen=True):
    """Minutes to be counted again, and what is broken in the journal: kept once, though each start finds it again that
    finds its file."""

    marks: Iterable[Mark]
    damaged: Sequence[DamagedRow]

    def make(self, connection: sqlite3.Connection, _: int) -> None:
        damaged_rows.insert_once(connection, self.damaged)
        dirty_minutes.insert(connection, self.marks)


class SetAside(msgspec.Struct, frozen=True):
    """The file that began with ``first_id`` is damaged; whoever reads has noticed."""

    first_id: int
    reason: str

    def make(self, _: sqlite3.Connection, first_id: int) -> None:
        if self.first_id == first_id:
            raise Damaged(self.reason)


Change = Append | Remove | Clean | MendMarks | Learn | Probe | Quarantine | Restore | Tell | SetAside


def joined(appends: Sequence[Append], row_points: int, row_bytes: int) -> list[Row]:
    """Rows of up to ``row_points`` and ``row_bytes``: fewer rows, quicker reads. No blob is split."""
    blobs = [blob for append in appends for blob in append.blobs]
    groups = [
        *_grouped([blob for blob in blobs if blob.are_events], row_points, row_bytes),
        *_grouped([blob for blob in blobs if not blob.are_events], row_points, row_bytes),
    ]
    return [_row(group, appends[0].time_ms) for group in groups]


def _grouped(blobs: Sequence[Blob], row_points: int, row_bytes: int) -> Iterator[Sequence[Blob]]:
    group: list[Blob] = []
    points = size = 0
    for blob in blobs:
        points, size = points + blob.points, size + len(blob.lines)
        if group and (points > row_points or size > row_bytes):
            yield group
            group, points, size = [], blob.points, len(blob.lines)
        group.append(blob)
    if group:
        yield group


def _row(blobs: Sequence[Blob], time_ms: int) -> Row:
    return Row(0, time_ms, sum(blob.points for blob in blobs), b"".join(blob.lines for blob in blobs))

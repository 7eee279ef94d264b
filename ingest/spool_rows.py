"""The spool's tables: rows of line protocol in the order they came, and what waits in all."""

import sqlite3
from collections.abc import Sequence

import msgspec

from ingest import dead_letter, dirty_minutes
from ingest.lanes import Lane
from ingest.series import kept

# ``totals`` makes the depth known at once, whatever the backlog; triggers keep it true whichever process writes.
_OWN_SCHEMA = """
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
_LAST_ID = 2**63 - 1

SCHEMA = _OWN_SCHEMA + dead_letter.SCHEMA + dirty_minutes.SCHEMA + kept.SCHEMA


class Row(msgspec.Struct, frozen=True, gc=False):
    """A piece of the spool, to be removed once InfluxDB has it; ``time_ms`` is when it arrived."""

    id: int
    time_ms: int
    points: int
    lines: bytes


class Depth(msgspec.Struct, frozen=True):
    """What waits in the spool, what died, and how many minutes wait to be counted again.

    ``oldest_ms`` is the Unix time the oldest row arrived, None if there is none; ``newest_id`` is 0 then.
    """

    points: int = 0
    bytes: int = 0
    oldest_ms: int | None = None
    dead_letters: int = 0
    dirty_minutes: int = 0
    newest_id: int = 0

    def after(self, row: Row, row_id: int) -> "Depth":
        """The depth when ``row`` has been added, as ``row_id``."""
        return msgspec.structs.replace(
            self,
            points=self.points + row.points,
            bytes=self.bytes + len(row.lines),
            oldest_ms=row.time_ms if self.oldest_ms is None else self.oldest_ms,
            newest_id=row_id,
        )


def insert(connection: sqlite3.Connection, row: Row) -> int:
    """Add a row at the end; the id that the spool has given it, above all that were ever given."""
    cursor = connection.execute(
        "INSERT INTO spool (time_ms, points, bytes, lines) VALUES (?, ?, ?, ?)",
        (row.time_ms, row.points, len(row.lines), row.lines),
    )
    return int(cursor.lastrowid or 0)


def select(connection: sqlite3.Connection, lane: Lane, max_points: int, max_bytes: int) -> list[Row]:
    """The oldest rows of ``lane``, up to the limits but at least one if there is one."""
    rows: list[Row] = []
    points = size = 0
    cursor = connection.execute(
        "SELECT id, time_ms, points, lines FROM spool WHERE id > ? AND id <= ? ORDER BY id",
        (lane.after_id, _LAST_ID if lane.last_id is None else lane.last_id),
    )
    for columns in cursor:
        row = Row(*columns)
        points, size = points + row.points, size + len(row.lines)
        if rows and (points > max_points or size > max_bytes):
            break
        rows.append(row)
    cursor.close()
    return rows


def delete(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    connection.executemany("DELETE FROM spool WHERE id = ?", [(row.id,) for row in rows])


def depth(connection: sqlite3.Connection) -> Depth:
    """How much waits, as of now."""
    points, size, dead_letters = connection.execute("SELECT points, bytes, dead_letters FROM totals").fetchone()
    oldest = connection.execute("SELECT time_ms FROM spool ORDER BY id LIMIT 1").fetchone()
    (newest_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM spool").fetchone()
    return Depth(points, size, oldest and oldest[0], dead_letters, dirty_minutes.total(connection), newest_id)

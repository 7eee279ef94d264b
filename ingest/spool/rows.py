"""The spool's tables: rows of line protocol in the order they came, and what waits in all."""

import sqlite3
import zlib
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from ingest.series import kept
from ingest.spool import damaged_rows, dead_letter, dirty_minutes
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.lanes import Lane
from ingest.sqlite import Damaged

# A row of a file that was made before rows had a checksum.
UNCHECKED = -1
_LAST_ID = 2**63 - 1
_MOST_DAMAGED_AT_ONCE = 100
_MOST_AUDITED = 1000
# Far beyond any that is reached; SQLite itself takes no id above the largest.
_ABSURD_ID = 2**62

# ``totals`` makes the depth known at once, whatever the backlog; triggers keep it true whichever process writes.
_OWN_SCHEMA = """
CREATE TABLE IF NOT EXISTS totals (points INTEGER NOT NULL, bytes INTEGER NOT NULL, dead_letters INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT * FROM totals);
CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    points INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    lines BLOB NOT NULL,
    crc INTEGER NOT NULL DEFAULT -1
);
CREATE TRIGGER IF NOT EXISTS spool_grows AFTER INSERT ON spool BEGIN
    UPDATE totals SET points = points + NEW.points, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER IF NOT EXISTS spool_shrinks AFTER DELETE ON spool BEGIN
    UPDATE totals SET points = points - OLD.points, bytes = bytes - OLD.bytes;
END;
"""
SCHEMA = _OWN_SCHEMA + dead_letter.SCHEMA + dirty_minutes.SCHEMA + damaged_rows.SCHEMA + kept.SCHEMA


class Row(msgspec.Struct, frozen=True, gc=False):
    """A piece of the spool, to be removed once InfluxDB has it; ``time_ms`` is when it arrived."""

    id: int
    time_ms: int
    points: int
    lines: bytes
    crc: int = UNCHECKED


class Selected(NamedTuple):
    """What was read: rows as they were written, and rows that the disk altered."""

    rows: list[Row]
    damaged: list[DamagedRow]


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
    dead_letter_bytes: int = 0

    def after(self, row: Row, row_id: int) -> "Depth":
        """The depth when ``row`` has been added, as ``row_id``."""
        return msgspec.structs.replace(
            self,
            points=self.points + row.points,
            bytes=self.bytes + len(row.lines),
            oldest_ms=row.time_ms if self.oldest_ms is None else self.oldest_ms,
            newest_id=row_id,
        )


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; rows of an earlier file stay as they are, without a checksum."""
    columns = {column[1] for column in connection.execute("PRAGMA table_info(spool)")}
    if columns and "crc" not in columns:
        connection.execute(f"ALTER TABLE spool ADD COLUMN crc INTEGER NOT NULL DEFAULT {UNCHECKED}")
    connection.executescript(SCHEMA)


def check(connection: sqlite3.Connection) -> None:
    """Raises Damaged where the tables are not as ``prepare`` makes them, or say what cannot be; it reads no row."""
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(SCHEMA)
    expected, there = _declarations(fresh), _declarations(connection)
    fresh.close()
    odd = [name for name in expected if expected[name] != there.get(name)]
    if odd:
        raise Damaged(f"its {', '.join(odd)} are not as they were made")
    now = depth(connection)
    room = connection.execute("SELECT page_size * page_count FROM pragma_page_size, pragma_page_count").fetchone()[0]
    if not (
        0 <= now.points <= now.bytes <= room and min(now.dead_letters, now.dead_letter_bytes, now.dirty_minutes) >= 0
    ):
        raise Damaged(f"it says that {now.points} points wait in {now.bytes} bytes, of {room} in all")


def _declarations(connection: sqlite3.Connection) -> dict[str, str]:
    """What each table and trigger is, without the layout, and of the spool's table its columns: it may be altered."""
    found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'spool'")
    columns = connection.execute("SELECT name, type FROM pragma_table_info('spool')").fetchall()
    return {name: " ".join(sql.split()) for name, sql in found} | {"spool": str(columns)}


def last_id(connection: sqlite3.Connection) -> int:
    """The id of the newest row there ever was."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'spool'").fetchone()
    return int(found[0]) if found else 0


def checksum(time_ms: int, points: int, lines: bytes) -> int:
    """SQLite has none: a bit that flips on the disk would be shipped as another value."""
    return zlib.crc32(lines, (time_ms ^ points << 16) & 0xFFFFFFFF)


def insert(connection: sqlite3.Connection, row: Row) -> int:
    """Add a row at the end; the id that the spool has given it, above all that were ever given."""
    crc = checksum(row.time_ms, row.points, row.lines)
    inserted = connection.execute(
        "INSERT INTO spool (time_ms, points, bytes, lines, crc) VALUES (?, ?, ?, ?, ?)",
        (row.time_ms, row.points, len(row.lines), row.lines, crc),
    )
    return int(inserted.lastrowid or 0)


def select(connection: sqlite3.Connection, lane: Lane, max_points: int, max_bytes: int) -> Selected:
    """The oldest rows of ``lane``, up to the limits but at least one if there is one."""
    rows: list[Row] = []
    damaged: list[DamagedRow] = []
    points = size = 0
    sql = "SELECT id, time_ms, points, lines, crc, bytes FROM spool WHERE id > ? AND id <= ? ORDER BY id"
    cursor = connection.execute(sql, (lane.after_id, _LAST_ID if lane.last_id is None else lane.last_id))
    for *columns, length in cursor:
        row = Row(*columns)
        if row.id > _ABSURD_ID:
            raise Damaged(f"a row of the spool says that its id is {row.id}")
        if not is_whole(row, length):
            damaged.append(_damaged(row))
            if len(damaged) == _MOST_DAMAGED_AT_ONCE:
                break
            continue
        points, size = points + row.points, size + len(row.lines)
        if rows and (points > max_points or size > max_bytes):
            break
        rows.append(row)
    cursor.close()
    return Selected(rows, damaged)


def is_whole(row: Row, length: int) -> bool:
    """Whether ``row`` is as it was written, ``length`` being what it says of its size; on a bad disk it may hold
    anything, of any type."""
    types = (type(row.time_ms), type(row.points), type(row.lines))
    if types != (int, int, bytes):
        return False
    return len(row.lines) == length and row.crc in (UNCHECKED, checksum(row.time_ms, row.points, row.lines))


def delete(connection: sqlite3.Connection, rows: Sequence[Row] | Sequence[DamagedRow]) -> None:
    """Raises Damaged where one is not there: its id was read wrongly, and may be another row's."""
    found = connection.executemany(
        "DELETE FROM spool WHERE id = ? AND crc IS ?", [(row.id, row.crc) for row in rows]
    ).rowcount
    if found != len(rows):
        raise Damaged(f"of {len(rows)} rows that were read from the spool {len(rows) - found} are not in it")


def total_anew(connection: sqlite3.Connection) -> None:
    """Add up the rows; inside a transaction."""
    connection.execute("""UPDATE totals SET (points, bytes) =
        (SELECT coalesce(sum(points), 0), coalesce(sum(bytes), 0) FROM spool WHERE typeof(points) = 'integer'
        AND points BETWEEN 0 AND bytes AND bytes = length(lines))""")


def depth(connection: sqlite3.Connection) -> Depth:
    """How much waits, as of now."""
    sql = "SELECT t.points, t.bytes, t.dead_letters, d.bytes FROM totals t, dead_letter_totals d"
    totals = connection.execute(sql).fetchone()
    if totals is None or any(type(total) is not int for total in totals):
        raise Damaged(f"the spool's totals are {totals}")
    points, size, dead_letters, dead_letter_bytes = totals
    oldest = connection.execute("SELECT time_ms FROM spool ORDER BY id LIMIT 1").fetchone()
    (newest_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM spool").fetchone()
    return Depth(
        points=points,
        bytes=size,
        oldest_ms=oldest and oldest[0],
        dead_letters=dead_letters,
        dirty_minutes=dirty_minutes.total(connection),
        newest_id=newest_id,
        dead_letter_bytes=dead_letter_bytes,
    )


def audit(connection: sqlite3.Connection) -> list[DamagedRow]:
    """Where ``totals`` and the rows differ, the rows that the disk altered; raises Damaged if there are none.

    Of more than a few rows it says nothing.
    """
    sql = """SELECT t.points, t.bytes, count(r.points), coalesce(sum(r.points), 0), coalesce(sum(r.bytes), 0)
        FROM totals t LEFT JOIN (SELECT points, bytes FROM spool LIMIT ?) r"""
    points, size, rows, found_points, found_size = connection.execute(sql, (_MOST_AUDITED,)).fetchone()
    if rows == _MOST_AUDITED or (points, size) == (found_points, found_size):
        return []
    damaged = _altered(connection)
    if not damaged:
        raise Damaged(f"the spool should hold {points} points in {size} bytes, and has {found_points} in {found_size}")
    return damaged


def _altered(connection: sqlite3.Connection) -> list[DamagedRow]:
    found = connection.execute("SELECT id, time_ms, points, lines, crc, bytes FROM spool")
    altered = (row for *columns, length in found if not is_whole(row := Row(*columns), length))
    return [_damaged(row) for row in islice(altered, _MOST_DAMAGED_AT_ONCE)]


def _damaged(row: Row) -> DamagedRow:
    return DamagedRow(row.id, "its checksum is wrong", row.points, row.lines, row.crc)

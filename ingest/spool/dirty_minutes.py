"""The minutes that wait to be counted again.

They live in the spool's file: the commit that takes points out of it says which minutes they touched, so that no crash
comes between.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ingest.minutes import Mark, mended

# ``marked`` tells a mark that was made again while its minute was being counted.
_TABLES = """
CREATE TABLE IF NOT EXISTS dirty_minutes (
    minute_ms INTEGER NOT NULL,
    tag TEXT NOT NULL,
    marked INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (minute_ms, tag)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty_total (minutes INTEGER NOT NULL);
INSERT INTO dirty_total SELECT 0 WHERE NOT EXISTS (SELECT * FROM dirty_total);
"""
_GROW = """
CREATE TRIGGER IF NOT EXISTS dirty_minutes_grow AFTER INSERT ON dirty_minutes BEGIN
    UPDATE dirty_total SET minutes = minutes + 1;
END;
"""
_SHRINK = """
CREATE TRIGGER IF NOT EXISTS dirty_minutes_shrink AFTER DELETE ON dirty_minutes BEGIN
    UPDATE dirty_total SET minutes = minutes - 1;
END;
"""
SCHEMA = _TABLES + _GROW + _SHRINK
# A text that is none would be an error; as bytes it is only no tag.
_SELECT = "SELECT minute_ms, CAST(tag AS BLOB), marked FROM dirty_minutes"


class DirtyMinute(msgspec.Struct, frozen=True, gc=False):
    """A mark, and a number that no other one has: made again it is another."""

    mark: Mark
    marked: int


class Selected(NamedTuple):
    """Marks as they were made; none where some are ``damaged``, and have to be mended first."""

    marks: list[DirtyMinute]
    damaged: list[Mark]


def insert(connection: sqlite3.Connection, marks: Iterable[Mark]) -> None:
    sql = "INSERT INTO dirty_minutes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET marked = excluded.marked"
    # Never the same twice: whoever counted a mark of earlier, even one that is gone, must not take this one away.
    connection.executemany(sql, [(mark.start_ms, mark.tag, secrets.randbits(62)) for mark in marks])


def select(connection: sqlite3.Connection, limit: int) -> Selected:
    """The newest minutes first: they are what everybody looks at."""
    sql = f"{_SELECT} ORDER BY minute_ms DESC LIMIT ?"
    found = [_read(*columns) for columns in connection.execute(sql, (limit,))]
    damaged = [one.mark for one in found if mended(one.mark) != one.mark]
    return Selected([] if damaged else found, damaged)


def mend(connection: sqlite3.Connection) -> None:
    """Make the table anew, with what is known of the marks that the disk altered; inside a transaction.

    Where a key was altered in its place, SQLite cannot find it to delete it, nor perhaps its neighbours.
    """
    found = [_read(*columns) for columns in connection.execute(_SELECT)]
    connection.execute("DROP TRIGGER dirty_minutes_shrink")
    connection.execute("DELETE FROM dirty_minutes")
    connection.execute(_SHRINK)
    connection.execute("UPDATE dirty_total SET minutes = 0")
    insert(connection, [mark for one in found if (mark := mended(one.mark))])


def delete(connection: sqlite3.Connection, counted: Sequence[DirtyMinute]) -> None:
    """Forget what was counted; what was marked again since it was selected goes on waiting."""
    connection.executemany(
        "DELETE FROM dirty_minutes WHERE minute_ms = ? AND tag = ? AND marked = ?",
        [(dirty.mark.start_ms, dirty.mark.tag, dirty.marked) for dirty in counted],
    )


def total(connection: sqlite3.Connection) -> int:
    """How many wait."""
    return int(connection.execute("SELECT minutes FROM dirty_total").fetchone()[0])


def _read(minute_ms: int, tag: bytes, marked: int) -> DirtyMinute:
    return DirtyMinute(Mark(minute_ms, tag.decode(errors="replace")), marked)

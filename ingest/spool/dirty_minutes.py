"""The minutes that wait to be counted again.

They live in the spool's file: the commit that takes points out of it says which minutes they touched, so that no crash
comes between.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from ingest.minutes import Mark

# ``marked`` tells a mark that was made again while its minute was being counted.
SCHEMA = """
CREATE TABLE IF NOT EXISTS dirty_minutes (
    minute_ms INTEGER NOT NULL,
    tag TEXT NOT NULL,
    marked INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (minute_ms, tag)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty_total (minutes INTEGER NOT NULL);
INSERT INTO dirty_total SELECT 0 WHERE NOT EXISTS (SELECT * FROM dirty_total);
CREATE TRIGGER IF NOT EXISTS dirty_minutes_grow AFTER INSERT ON dirty_minutes BEGIN
    UPDATE dirty_total SET minutes = minutes + 1;
END;
CREATE TRIGGER IF NOT EXISTS dirty_minutes_shrink AFTER DELETE ON dirty_minutes BEGIN
    UPDATE dirty_total SET minutes = minutes - 1;
END;
"""


class DirtyMinute(msgspec.Struct, frozen=True, gc=False):
    """A mark, and how often it was made since it was last counted."""

    mark: Mark
    marked: int


def insert(connection: sqlite3.Connection, marks: Iterable[Mark]) -> None:
    connection.executemany(
        "INSERT INTO dirty_minutes (minute_ms, tag) VALUES (?, ?) ON CONFLICT DO UPDATE SET marked = marked + 1",
        [(mark.start_ms, mark.tag) for mark in marks],
    )


def select(connection: sqlite3.Connection, limit: int) -> list[DirtyMinute]:
    """The newest minutes first: they are what everybody looks at."""
    sql = "SELECT minute_ms, tag, marked FROM dirty_minutes ORDER BY minute_ms DESC LIMIT ?"
    return [DirtyMinute(Mark(minute_ms, tag), marked) for minute_ms, tag, marked in connection.execute(sql, (limit,))]


def delete(connection: sqlite3.Connection, counted: Sequence[DirtyMinute]) -> None:
    """Forget what was counted; what was marked again since it was selected goes on waiting."""
    connection.executemany(
        "DELETE FROM dirty_minutes WHERE minute_ms = ? AND tag = ? AND marked = ?",
        [(dirty.mark.start_ms, dirty.mark.tag, dirty.marked) for dirty in counted],
    )


def total(connection: sqlite3.Connection) -> int:
    """How many wait."""
    return int(connection.execute("SELECT minutes FROM dirty_total").fetchone()[0])

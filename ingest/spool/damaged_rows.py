"""Damaged rows: what the disk did not give back as it was written, kept apart so that no altered value is ever shipped.

They live in the spool's file, so that one commit takes a row out of the one and puts it into the other.
"""

import sqlite3
import time
from collections.abc import Sequence

import msgspec

# No types: whatever the disk gave back has to go in.
SCHEMA = """
CREATE TABLE IF NOT EXISTS damaged_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    found_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    points,
    lines
);
"""


class DamagedRow(msgspec.Struct, frozen=True):
    """``points`` and ``lines`` are what was read in their place; ``id`` and ``crc`` are those of the spool's row."""

    id: int
    reason: str
    points: object
    lines: object
    crc: object = None


def insert(connection: sqlite3.Connection, rows: Sequence[DamagedRow]) -> None:
    now_ms = time.time_ns() // 1_000_000
    connection.executemany(
        "INSERT INTO damaged_rows (found_ms, reason, points, lines) VALUES (?, ?, ?, ?)",
        [(now_ms, row.reason, row.points, row.lines) for row in rows],
    )


def insert_once(connection: sqlite3.Connection, rows: Sequence[DamagedRow]) -> None:
    """Those that are not there yet: with the same reason, which says where it was, and the same lines."""
    sql = "SELECT * FROM damaged_rows WHERE reason = ? AND lines IS ?"
    insert(connection, [row for row in rows if not connection.execute(sql, (row.reason, row.lines)).fetchone()])


def total(connection: sqlite3.Connection) -> int:
    """How many there are."""
    return int(connection.execute("SELECT count(*) FROM damaged_rows").fetchone()[0])


class Kept(msgspec.Struct, frozen=True):
    """A damaged row as it is kept: found at Unix ``found_ms``; ``lines`` are what the disk gave back."""

    id: int
    found_ms: int
    reason: str
    lines: bytes


def select(connection: sqlite3.Connection, after_id: int, limit: int) -> list[Kept]:
    """Up to ``limit`` rows with an id above ``after_id``."""
    sql = """SELECT id, found_ms, reason, coalesce(CAST(lines AS BLOB), x'') FROM damaged_rows
        WHERE id > ? ORDER BY id LIMIT ?"""
    return [Kept(*row) for row in connection.execute(sql, (after_id, limit))]


def delete_all(connection: sqlite3.Connection) -> int:
    """Forget them; how many there were."""
    return connection.execute("DELETE FROM damaged_rows").rowcount

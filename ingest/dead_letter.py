"""Dead letters: the lines that InfluxDB refuses for good, kept with its reason until someone decides.

They live in the spool's file, so that one commit takes a line out of the one and puts it into the other.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

SCHEMA = """
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    line BLOB NOT NULL
);
CREATE TRIGGER IF NOT EXISTS dead_letters_grow AFTER INSERT ON dead_letters BEGIN
    UPDATE totals SET dead_letters = dead_letters + 1;
END;
CREATE TRIGGER IF NOT EXISTS dead_letters_shrink AFTER DELETE ON dead_letters BEGIN
    UPDATE totals SET dead_letters = dead_letters - 1;
END;
"""


class DeadLetter(msgspec.Struct, frozen=True):
    """A line of line protocol, InfluxDB's reason and the Unix time in ms it was given; ``id`` 0 is not stored yet."""

    line: bytes
    reason: str
    time_ms: int
    id: int = 0


def insert(connection: sqlite3.Connection, letters: Sequence[DeadLetter]) -> None:
    connection.executemany(
        "INSERT INTO dead_letters (time_ms, reason, line) VALUES (?, ?, ?)",
        [(letter.time_ms, letter.reason, letter.line) for letter in letters],
    )


def select(connection: sqlite3.Connection, after_id: int = 0, limit: int = 1000) -> list[DeadLetter]:
    """Up to ``limit`` letters in the order they died, after the one with ``after_id``."""
    rows = connection.execute(
        "SELECT line, reason, time_ms, id FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit)
    )
    return [DeadLetter(*row) for row in rows]


def delete(connection: sqlite3.Connection, letters: Sequence[DeadLetter]) -> None:
    connection.executemany("DELETE FROM dead_letters WHERE id = ?", [(letter.id,) for letter in letters])

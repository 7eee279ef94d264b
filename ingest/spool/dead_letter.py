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
CREATE TABLE IF NOT EXISTS dead_letter_totals (bytes INTEGER NOT NULL);
INSERT INTO dead_letter_totals SELECT (SELECT coalesce(sum(length(line) + length(reason)), 0) FROM dead_letters)
WHERE NOT EXISTS (SELECT * FROM dead_letter_totals);
CREATE TRIGGER IF NOT EXISTS dead_letter_bytes_grow AFTER INSERT ON dead_letters BEGIN
    UPDATE dead_letter_totals SET bytes = bytes + length(NEW.line) + length(NEW.reason);
END;
CREATE TRIGGER IF NOT EXISTS dead_letter_bytes_shrink AFTER DELETE ON dead_letters BEGIN
    UPDATE dead_letter_totals SET bytes = bytes - length(OLD.line) - length(OLD.reason);
END;
"""

_BYTES_AT_ONCE = 8 * 2**20


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


def select(
    connection: sqlite3.Connection, *, after_id: int = 0, up_to_id: int = 2**63 - 1, limit: int = 1000
) -> list[DeadLetter]:
    """Up to ``limit`` letters in the order they died, with an id above ``after_id`` and up to ``up_to_id``.

    Fewer where they are long, but one if there is one.
    """
    sql = "SELECT line, reason, time_ms, id FROM dead_letters WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
    letters: list[DeadLetter] = []
    size = 0
    for row in connection.execute(sql, (after_id, up_to_id, limit)):
        letters.append(DeadLetter(*row))
        size += len(letters[-1].line)
        if size > _BYTES_AT_ONCE:
            break
    return letters


def last_id(connection: sqlite3.Connection) -> int:
    """The id of the newest letter, 0 if there is none."""
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM dead_letters").fetchone()
    return int(newest)


def delete(connection: sqlite3.Connection, letters: Sequence[DeadLetter]) -> None:
    connection.executemany("DELETE FROM dead_letters WHERE id = ?", [(letter.id,) for letter in letters])

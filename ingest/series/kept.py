"""The known series in the spool's file: the commit that takes points in says which series they are the first of."""

import sqlite3
from collections.abc import Iterable

# ``series_learned`` has a row once those that InfluxDB knew before are among them.
SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS series_learned (time_ms INTEGER NOT NULL);
"""


def insert(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    connection.executemany("INSERT OR IGNORE INTO series (id) VALUES (?)", [(id_,) for id_ in ids])


def select(connection: sqlite3.Connection) -> set[int]:
    """All of them."""
    return {id_ for (id_,) in connection.execute("SELECT id FROM series")}


def set_learned(connection: sqlite3.Connection, time_ms: int) -> None:
    connection.execute("INSERT INTO series_learned VALUES (?)", (time_ms,))


def is_learned(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT * FROM series_learned").fetchone() is not None

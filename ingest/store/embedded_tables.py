"""The embedded store's tables."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

import structlog

from ingest.event import number

Row = tuple[int, int, str, float | None]
"""time_ns, sensor_id, valor, and its number if it is one."""

_ROWS_A_STATEMENT = (1000, 100, 10, 1)

# The primary key is the event's identity: delivered twice, it is kept once, and only then does the trigger count it.
# There is no index by sensor: it would cost twice the disk and two thirds of the speed.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sensors (
    id INTEGER PRIMARY KEY,
    country TEXT NOT NULL,
    region TEXT NOT NULL,
    sensor TEXT NOT NULL,
    tag TEXT NOT NULL UNIQUE,
    processado INTEGER NOT NULL DEFAULT 0,
    erro INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS events (
    time_ns INTEGER NOT NULL,
    sensor_id INTEGER NOT NULL,
    valor TEXT NOT NULL,
    number REAL,
    PRIMARY KEY (time_ns, sensor_id, valor)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minutes (
    start_ms INTEGER NOT NULL,
    sensor_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    n INTEGER NOT NULL,
    numbers INTEGER NOT NULL,
    sum REAL,
    min REAL,
    max REAL,
    PRIMARY KEY (start_ms, sensor_id, status)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS events_are_tallied AFTER INSERT ON events BEGIN
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id;
    INSERT INTO minutes VALUES (
        NEW.time_ns / 60000000000 * 60000, NEW.sensor_id, iif(NEW.valor = '', 'erro', 'processado'),
        1, NEW.number IS NOT NULL, NEW.number, NEW.number, NEW.number
    )
    ON CONFLICT DO UPDATE SET
        n = n + 1,
        numbers = numbers + excluded.numbers,
        sum = coalesce(sum + excluded.sum, sum, excluded.sum),
        min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),
        max = max(coalesce(max, excluded.max), coalesce(excluded.max, max));
END;
"""
# What a file lacks that was made before numbers and minutes were kept.
_CATCH_UP = f"""
BEGIN IMMEDIATE;
ALTER TABLE events ADD COLUMN number REAL;
UPDATE events SET number = number_of(valor);
DROP TRIGGER events_are_counted;
{_SCHEMA}
INSERT INTO minutes
SELECT
    time_ns / 60000000000 * 60000 AS start_ms, sensor_id, iif(valor = '', 'erro', 'processado') AS status,
    count(*), count(number), sum(number), min(number), max(number)
FROM events GROUP BY 1, 2, 3;
COMMIT;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; in a file of an earlier version every event is counted once, which takes its time."""
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(events)")]
    if not columns or "number" in columns:
        connection.executescript(_SCHEMA)
        return
    structlog.get_logger("store").warning("counting_all_events", reason="the file was made before counts were kept")
    connection.create_function("number_of", 1, number, deterministic=True)
    connection.executescript(_CATCH_UP)


def insert_sensor(connection: sqlite3.Connection, tag: str) -> int:
    """The id of a new sensor."""
    sql = "INSERT INTO sensors (country, region, sensor, tag) VALUES (?, ?, ?, ?)"
    return int(connection.execute(sql, (*tag.split("."), tag)).lastrowid or 0)


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """How many of ``rows`` are new. Many a statement: each one is a hand-over between threads, however much it does."""
    position = stored = 0
    for size in _ROWS_A_STATEMENT:
        values = ",".join(["(?,?,?,?)"] * size)
        # Not OR IGNORE: that would hold for what the trigger does, too.
        sql = f"INSERT INTO events VALUES {values} ON CONFLICT DO NOTHING"
        while len(rows) - position >= size:
            stored += connection.execute(sql, tuple(chain.from_iterable(rows[position : position + size]))).rowcount
            position += size
    return stored

"""The embedded store's tables."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

import structlog

from ingest.event import number

Row = tuple[int, int, str, float | None]
"""time_ns, sensor_id, valor, and its number if it is one."""

_ROWS_A_STATEMENT = (1000, 100, 10, 1)

# The primary key is the event's identity: delivered twice, it is kept once, and only then is it counted (changes() is
# what the statement before it changed). There is no index by sensor: it would cost twice the disk and two thirds of the
# speed. Events come in by the view ``arriving``: so their numbers are tallied without being kept a second time.
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
CREATE VIEW IF NOT EXISTS arriving AS SELECT time_ns, sensor_id, valor, NULL AS number FROM events;
CREATE TRIGGER IF NOT EXISTS events_are_kept_and_counted INSTEAD OF INSERT ON arriving BEGIN
    INSERT INTO events VALUES (NEW.time_ns, NEW.sensor_id, NEW.valor) ON CONFLICT DO NOTHING;
    INSERT INTO minutes SELECT
        NEW.time_ns / 60000000000 * 60000, NEW.sensor_id, iif(NEW.valor = '', 'erro', 'processado'),
        1, NEW.number IS NOT NULL, NEW.number, NEW.number, NEW.number
    WHERE changes() > 0
    ON CONFLICT DO UPDATE SET
        n = n + 1,
        numbers = numbers + excluded.numbers,
        sum = coalesce(sum + excluded.sum, sum, excluded.sum),
        min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),
        max = max(coalesce(max, excluded.max), coalesce(excluded.max, max));
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id AND changes() > 0;
END;
"""
_CHANGES_AN_EVENT = 3
# What a file lacks that was made before minutes were kept.
_CATCH_UP = f"""
BEGIN IMMEDIATE;
DROP TRIGGER events_are_counted;
{_SCHEMA}
INSERT INTO minutes
SELECT start_ms, sensor_id, status, count(*), count(number), sum(number), min(number), max(number)
FROM (
    SELECT
        time_ns / 60000000000 * 60000 AS start_ms, sensor_id, iif(valor = '', 'erro', 'processado') AS status,
        number_of(valor) AS number
    FROM events
)
GROUP BY 1, 2, 3;
COMMIT;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; in a file of an earlier version every event is counted once, which takes its time."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if "events" not in tables or "minutes" in tables:
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
    changes_before = connection.total_changes
    position = 0
    for size in _ROWS_A_STATEMENT:
        sql = "INSERT INTO arriving VALUES " + ",".join(["(?,?,?,?)"] * size)
        while len(rows) - position >= size:
            connection.execute(sql, tuple(chain.from_iterable(rows[position : position + size])))
            position += size
    return (connection.total_changes - changes_before) // _CHANGES_AN_EVENT

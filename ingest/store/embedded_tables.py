"""The embedded store's tables."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

import msgspec
import structlog

from ingest.event import number

Row = tuple[int, int, int, str, float | None]
"""time_ns, the sensor's id, its region's id, valor, and its number if it is one."""

_ROWS_A_STATEMENT = (1000, 100, 10, 1)
_TALLY = """n INTEGER NOT NULL,
    numbers INTEGER NOT NULL,
    sum REAL,
    min REAL,
    max REAL"""
_ADD_UP = """ON CONFLICT DO UPDATE SET
        n = n + 1,
        numbers = numbers + excluded.numbers,
        sum = coalesce(sum + excluded.sum, sum, excluded.sum),
        min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),
        max = max(coalesce(max, excluded.max), coalesce(excluded.max, max))"""
_TALLIED = """iif(NEW.valor = '', 'erro', 'processado'),
        1, NEW.number IS NOT NULL, NEW.number, NEW.number, NEW.number"""

# The primary key is the event's identity: delivered twice, it is kept once, and only then is it counted (changes() is
# what the statement before it changed). There is no index of events by sensor: it would cost twice the disk and two
# thirds of the speed. Events come in by the view ``arriving``: so their numbers are tallied without being kept a second
# time.
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS regions (
    id INTEGER PRIMARY KEY,
    country TEXT NOT NULL,
    region TEXT NOT NULL,
    UNIQUE (country, region)
);
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
    {_TALLY},
    PRIMARY KEY (start_ms, sensor_id, status)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS minutes_of_sensor ON minutes (sensor_id, start_ms);
CREATE TABLE IF NOT EXISTS region_minutes (
    start_ms INTEGER NOT NULL,
    region_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    {_TALLY},
    PRIMARY KEY (start_ms, region_id, status)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS arriving_events AS
SELECT time_ns, sensor_id, 0 AS region_id, valor, NULL AS number FROM events;
CREATE TRIGGER IF NOT EXISTS events_are_kept_and_tallied INSTEAD OF INSERT ON arriving_events BEGIN
    INSERT INTO events VALUES (NEW.time_ns, NEW.sensor_id, NEW.valor) ON CONFLICT DO NOTHING;
    INSERT INTO minutes SELECT NEW.time_ns / 60000000000 * 60000, NEW.sensor_id, {_TALLIED}
    WHERE changes() > 0
    {_ADD_UP};
    INSERT INTO region_minutes SELECT NEW.time_ns / 60000000000 * 60000, NEW.region_id, {_TALLIED}
    WHERE changes() > 0
    {_ADD_UP};
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id AND changes() > 0;
END;
"""
_CHANGES_AN_EVENT = 4

# What earlier versions had in place of the view and the trigger above.
_DROP_EARLIER = """
DROP TRIGGER IF EXISTS events_are_counted;
DROP TRIGGER IF EXISTS events_are_kept_and_counted;
DROP VIEW IF EXISTS arriving;
"""
_COUNT_MINUTES = """
INSERT INTO minutes
SELECT start_ms, sensor_id, status, count(*), count(number), sum(number), min(number), max(number)
FROM (
    SELECT
        time_ns / 60000000000 * 60000 AS start_ms, sensor_id, iif(valor = '', 'erro', 'processado') AS status,
        number_of(valor) AS number
    FROM events
)
GROUP BY 1, 2, 3;
"""
_COUNT_REGIONS = """
INSERT INTO regions (country, region) SELECT DISTINCT country, region FROM sensors;
INSERT INTO region_minutes
SELECT start_ms, regions.id, status, sum(n), sum(numbers), sum(sum), min(min), max(max)
FROM minutes JOIN sensors ON sensors.id = sensor_id JOIN regions USING (country, region)
GROUP BY 1, 2, 3;
"""


class Ids(msgspec.Struct, frozen=True):
    """What stands for a sensor and for its region in every other table."""

    sensor: int
    region: int


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; in a file of an earlier version every event is counted once, which takes its time."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if "events" not in tables or "region_minutes" in tables:
        connection.executescript(_SCHEMA)
        return
    structlog.get_logger("store").warning("counting_all_events", reason="the file was made before counts were kept")
    connection.create_function("number_of", 1, number, deterministic=True)
    minutes = "" if "minutes" in tables else _COUNT_MINUTES
    connection.executescript(f"BEGIN IMMEDIATE; {_DROP_EARLIER} {_SCHEMA} {minutes} {_COUNT_REGIONS} COMMIT;")


def known_sensors(connection: sqlite3.Connection) -> dict[str, Ids]:
    """The ids of every sensor, by its tag."""
    rows = connection.execute("SELECT tag, sensors.id, regions.id FROM sensors JOIN regions USING (country, region)")
    return {tag: Ids(*ids) for tag, *ids in rows}


def insert_sensor(connection: sqlite3.Connection, tag: str) -> Ids:
    """The ids of a new sensor, whose region may be new too."""
    country, region, sensor = tag.split(".")
    connection.execute("INSERT OR IGNORE INTO regions (country, region) VALUES (?, ?)", (country, region))
    (region_id,) = connection.execute(
        "SELECT id FROM regions WHERE country = ? AND region = ?", (country, region)
    ).fetchone()
    sql = "INSERT INTO sensors (country, region, sensor, tag) VALUES (?, ?, ?, ?)"
    return Ids(int(connection.execute(sql, (country, region, sensor, tag)).lastrowid or 0), region_id)


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """How many of ``rows`` are new. Many a statement: each one is a hand-over between threads, however much it does."""
    changes_before = connection.total_changes
    position = 0
    for size in _ROWS_A_STATEMENT:
        sql = "INSERT INTO arriving_events VALUES " + ",".join(["(?,?,?,?,?)"] * size)
        while len(rows) - position >= size:
            connection.execute(sql, tuple(chain.from_iterable(rows[position : position + size])))
            position += size
    return (connection.total_changes - changes_before) // _CHANGES_AN_EVENT

"""Files of the embedded store that earlier versions made."""

from contextlib import closing
from pathlib import Path

import pytest

from ingest.event import Event, number, time_ns
from ingest.minutes import MINUTE_MS
from ingest.sqlite import connect
from ingest.store import Selection
from ingest.store.embedded import FILE_NAME
from tests.ingest.test_store import START_MS, embedded, numbers_of, shown

EARLIER_SCHEMA = """
CREATE TABLE sensors (
    id INTEGER PRIMARY KEY, country TEXT NOT NULL, region TEXT NOT NULL, sensor TEXT NOT NULL, tag TEXT NOT NULL UNIQUE,
    processado INTEGER NOT NULL DEFAULT 0, erro INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE events (
    time_ns INTEGER NOT NULL, sensor_id INTEGER NOT NULL, valor TEXT NOT NULL, PRIMARY KEY (time_ns, sensor_id, valor)
) WITHOUT ROWID;
CREATE TRIGGER events_are_counted AFTER INSERT ON events BEGIN
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id;
END;
INSERT INTO sensors (country, region, sensor, tag) VALUES ('brasil', 'sul', 's1', 'brasil.sul.s1');
"""


# The version after it kept the minutes of sensors, but not those of regions.
MINUTES_SCHEMA = """
DROP TRIGGER events_are_counted;
CREATE TABLE minutes (
    start_ms INTEGER NOT NULL, sensor_id INTEGER NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL,
    numbers INTEGER NOT NULL, sum REAL, min REAL, max REAL, PRIMARY KEY (start_ms, sensor_id, status)
) WITHOUT ROWID;
CREATE VIEW arriving AS SELECT time_ns, sensor_id, valor, NULL AS number FROM events;
CREATE TRIGGER events_are_kept_and_counted INSTEAD OF INSERT ON arriving BEGIN
    INSERT INTO events VALUES (NEW.time_ns, NEW.sensor_id, NEW.valor);
    INSERT INTO minutes VALUES (
        NEW.time_ns / 60000000000 * 60000, NEW.sensor_id, iif(NEW.valor = '', 'erro', 'processado'),
        1, NEW.number IS NOT NULL, NEW.number, NEW.number, NEW.number
    ) ON CONFLICT DO UPDATE SET
        n = n + 1, numbers = numbers + excluded.numbers, sum = coalesce(sum + excluded.sum, sum, excluded.sum),
        min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),
        max = max(coalesce(max, excluded.max), coalesce(excluded.max, max));
    UPDATE sensors SET processado = processado + (NEW.valor <> ''), erro = erro + (NEW.valor = '')
    WHERE id = NEW.sensor_id;
END;
"""


@pytest.mark.parametrize("has_minutes", [False, True])
async def test_a_file_of_an_earlier_version_is_counted_when_it_is_opened(tmp_path: Path, has_minutes: bool) -> None:
    earlier = [
        Event(START_MS + i * 9_000, "brasil.sul.s1", ("23.50", "", "0x10", "nan", "1e999")[i % 5]) for i in range(50)
    ]
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(EARLIER_SCHEMA + MINUTES_SCHEMA * has_minutes)
        rows = [(time_ns(e.timestamp_ms, e.valor), 1, e.valor, number(e.valor)) for e in earlier]
        if has_minutes:
            connection.executemany("INSERT INTO arriving VALUES (?, ?, ?, ?)", rows)
        else:
            connection.executemany("INSERT INTO events VALUES (?, ?, ?)", [row[:3] for row in rows])
    later = [Event(START_MS + i * 9_000, "brasil.sul.s1", "7") for i in range(3)]
    for _ in range(2):
        async with embedded(tmp_path) as shelf:
            await shelf.put([*later, *earlier[:5]])
            assert (await shelf.store.events(Selection(), None, 100)).events == shown([*earlier, *later])
            for selection in (Selection(), Selection(sensor="s1")):
                expected = numbers_of([*earlier, *later], selection, MINUTE_MS)
                assert await shelf.store.numbers(selection, MINUTE_MS) == expected
            assert sum(count.events for count in await shelf.store.counts(Selection())) == 53

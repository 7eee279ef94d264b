"""What is stored, read past ingest: from InfluxDB's own HTTP interface, and from the SQLite files, read-only."""

import json
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tools.influx_server import InfluxServer

_NS_PER_MS = 1_000_000
_SCAN_SECONDS = 120
_TAGS = ("country", "region", "sensor", "status")


class Row(msgspec.Struct, frozen=True):
    """A stored point: its time in ns, and its one field as a float or a text. ``status`` None is not kept there."""

    time_ns: int
    tag: str
    stored: float | str
    status: str | None

    @property
    def timestamp_ms(self) -> int:
        return self.time_ns // _NS_PER_MS


class Death(msgspec.Struct, frozen=True):
    """A dead letter."""

    line: bytes
    reason: str


def influx_rows(server: InfluxServer, bucket: str) -> Iterator[Row]:
    """Every point of the measurement events, however many."""
    query = f"SELECT value, text FROM events GROUP BY {', '.join(_TAGS)}"
    parameters = {"db": bucket, "q": query, "epoch": "ns", "chunked": "true", "chunk_size": "10000"}
    url = f"{server.url}/query?{urllib.parse.urlencode(parameters)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Token {server.token}"})
    with urllib.request.urlopen(request, timeout=_SCAN_SECONDS) as answer:
        for chunk in answer:
            (result,) = json.loads(chunk)["results"]
            assert "error" not in result, result
            for series in result.get("series", []):
                yield from _series_rows(series)


def _series_rows(series: dict[str, Any]) -> Iterator[Row]:
    country, region, sensor, status = (series["tags"][name] for name in _TAGS)
    for time_ns, value, text in series["values"]:
        assert (value is None) != (text is None), f"a point of {series['tags']} at {time_ns} has not exactly one field"
        yield Row(time_ns, f"{country}.{region}.{sensor}", text if value is None else float(value), status)


def embedded_rows(folder: Path, start_ms: int = 0, stop_ms: int = 2**43) -> Iterator[Row]:
    """Every row of the embedded store with ``start_ms`` <= time < ``stop_ms``; there all valores are texts."""
    rows = "SELECT time_ns, tag, valor FROM events JOIN sensors ON sensors.id = sensor_id"
    bounds = (start_ms * _NS_PER_MS, stop_ms * _NS_PER_MS)
    with closing(_reading(folder / "events.db")) as connection:
        for time_ns, tag, valor in connection.execute(f"{rows} WHERE time_ns >= ? AND time_ns < ?", bounds):
            yield Row(time_ns, tag, valor, None)


def deaths(folder: Path) -> list[Death]:
    """The dead letters of the spool in ``folder``."""
    with closing(_reading(folder / "spool.db")) as connection:
        return [Death(*row) for row in connection.execute("SELECT line, reason FROM dead_letters ORDER BY id")]


def spooled_points(folder: Path) -> int:
    """How many points wait in the spool in ``folder``, counted one row at a time."""
    with closing(_reading(folder / "spool.db")) as connection:
        return int(connection.execute("SELECT coalesce(sum(points), 0) FROM spool").fetchone()[0])


def dirty_marks(folder: Path) -> int:
    """How many minutes wait to be counted again."""
    with closing(_reading(folder / "spool.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM dirty_minutes").fetchone()[0])


def service_counts(url: str) -> dict[str, int]:
    """What /counts says of every sensor."""
    with urllib.request.urlopen(f"{url}/counts", timeout=_SCAN_SECONDS) as answer:
        body = json.loads(answer.read())
    return {sensor["path"]: sensor["events"] for region in body["regions"] for sensor in region["sensors"]}


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_SCAN_SECONDS)

"""What is stored, read past ingest: from InfluxDB's own HTTP interface, and from the SQLite files, read-only."""

import json
import sqlite3
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tools.influx_server import InfluxServer

_NS_PER_MS = 1_000_000
_SCAN_SECONDS = 120
_TAGS = ("country", "region", "sensor", "status")


Minute = tuple[int, str]
"""Its start in ms, and a tag."""


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
    for series in _influx_series(server, bucket, f"SELECT value, text FROM events GROUP BY {', '.join(_TAGS)}"):
        yield from _series_rows(series)


def influx_minutes(server: InfluxServer, bucket: str) -> Counter[Minute]:
    """What the rollup in ``bucket`` says of every minute of every sensor."""
    counts: Counter[Minute] = Counter()
    for series in _influx_series(server, bucket, f"SELECT n FROM sensor_minutes GROUP BY {', '.join(_TAGS)}"):
        for time_ns, number in series["values"]:
            counts[time_ns // _NS_PER_MS, _tag(series)] += number
    return counts


def _influx_series(server: InfluxServer, bucket: str, query: str) -> Iterator[dict[str, Any]]:
    parameters = {"db": bucket, "q": query, "epoch": "ns", "chunked": "true", "chunk_size": "10000"}
    url = f"{server.url}/query?{urllib.parse.urlencode(parameters)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Token {server.token}"})
    with urllib.request.urlopen(request, timeout=_SCAN_SECONDS) as answer:
        for chunk in answer:
            (result,) = json.loads(chunk)["results"]
            assert "error" not in result, result
            yield from result.get("series", [])


def _series_rows(series: dict[str, Any]) -> Iterator[Row]:
    for time_ns, value, text in series["values"]:
        assert (value is None) != (text is None), f"a point of {series['tags']} at {time_ns} has not exactly one field"
        yield Row(time_ns, _tag(series), text if value is None else float(value), series["tags"]["status"])


def _tag(series: dict[str, Any]) -> str:
    return ".".join(series["tags"][name] for name in ("country", "region", "sensor"))


def embedded_rows(folder: Path, start_ms: int = 0, stop_ms: int = 2**43) -> Iterator[Row]:
    """Every row of the embedded store with ``start_ms`` <= time < ``stop_ms``; there all valores are texts."""
    rows = "SELECT time_ns, tag, valor FROM events JOIN sensors ON sensors.id = sensor_id"
    bounds = (start_ms * _NS_PER_MS, stop_ms * _NS_PER_MS)
    with closing(_reading(folder / "events.db")) as connection:
        for time_ns, tag, valor in connection.execute(f"{rows} WHERE time_ns >= ? AND time_ns < ?", bounds):
            yield Row(time_ns, tag, valor, None)


def embedded_minutes(folder: Path) -> Counter[Minute]:
    """What the embedded store says of every minute of every sensor."""
    sql = "SELECT start_ms, tag, sum(n) FROM minutes JOIN sensors ON sensors.id = sensor_id GROUP BY 1, 2"
    with closing(_reading(folder / "events.db")) as connection:
        return Counter({(start_ms, tag): number for start_ms, tag, number in connection.execute(sql)})


def deaths(folder: Path) -> list[Death]:
    """The dead letters of the spools in ``folder``."""
    sql = "SELECT line, reason FROM dead_letters ORDER BY id"
    return [Death(*row) for row in _in_spools(folder, sql)]


def spooled_points(folder: Path) -> int:
    """How many points wait in the spools in ``folder``, counted one row at a time."""
    return sum(points for (points,) in _in_spools(folder, "SELECT points FROM spool"))


def _in_spools(folder: Path, sql: str) -> Iterator[tuple[Any, ...]]:
    """In those of workers, too."""
    for path in (folder / "spool.db", *sorted(folder.glob("worker-*/spool.db"))):
        with closing(_reading(path)) as connection:
            yield from connection.execute(sql)


def service_counts(url: str) -> dict[str, int]:
    """What /counts says of every sensor."""
    with urllib.request.urlopen(f"{url}/counts", timeout=_SCAN_SECONDS) as answer:
        body = json.loads(answer.read())
    return {sensor["path"]: sensor["events"] for region in body["regions"] for sensor in region["sensors"]}


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_SCAN_SECONDS)

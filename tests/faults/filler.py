"""A backlog, made in seconds: rows of line protocol, put straight into the spool's file in the place of an outage."""

from contextlib import closing
from pathlib import Path

from ingest.spool import rows as spool_rows
from ingest.spool.file import FILE_NAME
from ingest.sqlite import connect, transaction
from tools.influx_server import InfluxServer, call

MEASUREMENT = "antigo"
_POINTS_A_ROW = 5_000
_ROWS_A_COMMIT = 20
_SERIES = 1_000
# A day of July 2018, a point a millisecond.
_FIRST_MS = 1_530_400_000_000
# About as long as an event's line.
_PADDING = "x" * 40


def fill(folder: Path, megabytes: int) -> int:
    """Put so much into the spool of a service that does not run; how many points that are, all of them different."""
    points = size = 0
    with closing(connect(folder / FILE_NAME, shrinks=True)) as connection:
        spool_rows.prepare(connection)
        while size < megabytes * 10**6:
            with transaction(connection):
                for _ in range(_ROWS_A_COMMIT):
                    lines = _lines(points)
                    spool_rows.insert(connection, spool_rows.Row(0, _FIRST_MS, _POINTS_A_ROW, lines))
                    points, size = points + _POINTS_A_ROW, size + len(lines)
    return points


def stored(server: InfluxServer, bucket: str) -> int:
    """How many of the points InfluxDB has."""
    query = f"SELECT count(v) FROM {MEASUREMENT}"
    (result,) = call(server, "GET", "/query", parameters={"db": bucket, "q": query})["results"]
    return int(result["series"][0]["values"][0][1]) if "series" in result else 0


def _lines(first: int) -> bytes:
    return "".join(map(_line, range(first, first + _POINTS_A_ROW))).encode()


def _line(number: int) -> str:
    return f"{MEASUREMENT},s={number % _SERIES:03},p={_PADDING} v={number} {_FIRST_MS + number}000000\n"

"""What InfluxDB has of what was sent: when all of it is there, and whether the count is right."""

import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from tools.influx_server import InfluxServer, call, make_bucket

_SLOWEST_SECONDS = 120.0
_POLL_SECONDS = 0.02
# A write counts as written a moment before queries find it.
_READABLE_SECONDS = 10.0
_QUIET_SHARE = 0.1
_QUIET_SECONDS = 0.15
_SETTLED_SECONDS = 20.0


@dataclass(frozen=True)
class Bucket:
    """A bucket of one run, which is empty at its start."""

    server: InfluxServer
    name: str
    id: str

    def counted(self) -> int:
        """Events as a query finds them: count(value) + count(text)."""
        parameters = {"db": self.name, "q": "SELECT count(value), count(text) FROM events"}
        (result,) = call(self.server, "GET", "/query", parameters=parameters)["results"]
        return sum(count or 0 for series in result.get("series", []) for count in series["values"][0][1:])

    def written(self) -> int:
        """Points that were written so far, by InfluxDB's own metrics: to ask costs it 1 ms, however many there are."""
        with urllib.request.urlopen(f"{self.server.url}/metrics", timeout=60) as answer:  # noqa: S310 - always http
            text = answer.read().decode()
        return sum(
            int(float(count))
            for count in re.findall(rf'^storage_shard_write_count{{bucket="{self.id}".* (\S+)$', text, re.M)
        )

    def wait_until_written(self, events: int) -> float:
        """When so many were written, by time.monotonic(); or now, when two minutes brought no more."""
        most, since = -1, time.monotonic()
        while time.monotonic() < since + _SLOWEST_SECONDS:
            written = self.written()
            if written >= events:
                break
            if written > most:
                most, since = written, time.monotonic()
            time.sleep(_POLL_SECONDS)
        return time.monotonic()

    def wait_for(self, events: int) -> tuple[float, int]:
        """When a query found all of them, by time.monotonic(), and how many it found: fewer when no more came."""
        asked = self.wait_until_written(events)
        deadline = asked + _READABLE_SECONDS
        while (counted := self.counted()) < events and asked < deadline:
            time.sleep(_POLL_SECONDS)
            asked = time.monotonic()
        return asked, counted


@contextmanager
def fresh_bucket(server: InfluxServer, name: str) -> Iterator[Bucket]:
    """A bucket for events, NAME-rollup for their counts; both go at the end. InfluxDB is at rest before."""
    ids = [make_bucket(server, each) for each in (name, f"{name}-rollup")]
    settle(server)
    try:
        yield Bucket(server, name, ids[0])
    finally:
        for each in ids:
            call(server, "DELETE", f"/api/v2/buckets/{each}")


def settle(server: InfluxServer) -> None:
    """Return when InfluxDB does next to nothing: what it owes to one run shall not slow the next. 20 s at most."""
    if server.pid is None:
        return
    influxd = psutil.Process(server.pid)
    deadline = time.monotonic() + _SETTLED_SECONDS
    while influxd.cpu_percent(_QUIET_SECONDS) > 100 * _QUIET_SHARE and time.monotonic() < deadline:
        pass

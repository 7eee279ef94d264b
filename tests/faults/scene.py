"""The scene of a run: a real service under load, and all that a fault can lay hands on."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.faults import scan
from tests.faults.bodies import ndjson
from tests.faults.history import History
from tests.faults.readings import Reading
from tests.faults.service import Service
from tests.ingest.influx_proxy import InfluxProxy, proxied
from tools.influx_server import Influxd, InfluxServer, call, make_bucket

_POLL_SECONDS = 0.1
_PROBE = "brasil.sul.sonda"
_PROBE_SECONDS = 5.0


class NotLiveError(Exception):
    """The service did not come back by itself."""


@dataclass(frozen=True)
class InfluxSide:
    """The real InfluxDB behind the scene, the proxy that the service sees in its place, and the events' bucket."""

    influxd: Influxd
    server: InfluxServer
    proxy: InfluxProxy
    bucket: str

    def holds(self, reading: Reading) -> bool:
        """Whether a numeric reading is stored, by InfluxDB's own word."""
        sensor, start_ms = reading.tag.rpartition(".")[2], reading.timestamp_ms
        conditions = f"sensor = '{sensor}' AND time >= {start_ms}ms AND time < {start_ms + 1}ms"
        query = f"SELECT count(value) FROM events WHERE {conditions}"
        (result,) = call(self.server, "GET", "/query", parameters={"db": self.bucket, "q": query})["results"]
        return bool(result.get("series"))


@dataclass
class Scene:
    """``influx`` is None where the store is the embedded one."""

    service: Service
    history: History
    first_ms: int
    influx: InfluxSide | None = None
    strange: list[str] = field(default_factory=list)
    _probes: int = 0

    @property
    def store(self) -> str:
        return "embedded" if self.influx is None else "influx"

    @property
    def behind(self) -> InfluxSide:
        """InfluxDB, for a fault that is for it alone."""
        assert self.influx is not None, "this fault needs the influx store"
        return self.influx

    async def acks(self, number: int, within_seconds: float = 60.0) -> None:
        """Return once ``number`` more readings have been acked: a moment under load, however slow the machine."""
        target = len(self.history.acked) + number
        async with asyncio.timeout(within_seconds):
            while len(self.history.acked) < target:
                await asyncio.sleep(_POLL_SECONDS / 5)

    async def live_again(self, within_seconds: float) -> float:
        """How long it takes until a new event is acked and stored. Raises NotLiveError."""
        started = time.monotonic()
        probe = self._new_probe()
        try:
            async with asyncio.timeout(within_seconds):
                while not await self._acked(probe):
                    await asyncio.sleep(_POLL_SECONDS)
                while not await asyncio.to_thread(self._is_stored, probe):
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            said = "acked, but not stored" if probe.key in self.history.acked else "not acked"
            if not self.service.is_alive:
                said += (
                    f": the service has ended with {self.service.popen.poll()}, and said last {self.service.log[-1:]}"
                )
            raise NotLiveError(f"{within_seconds:g} s after the fault a new event is {said}") from None
        return time.monotonic() - started

    async def post_together(self, number: int) -> bool:
        """Send so many readings in one body, and so to one commit; whether they are acked."""
        return await self._acked(*(self._new_probe() for _ in range(number)))

    def _new_probe(self) -> Reading:
        self._probes += 1
        return Reading(self.first_ms - self._probes, _PROBE, self._probes, float(self._probes))

    async def _acked(self, *probes: Reading) -> bool:
        body, started = ndjson(probes), time.monotonic()
        self.history.going_out(probes)
        headers = {"Content-Type": body.content_type}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PROBE_SECONDS)) as client,
                client.post(self.service.url + body.path, data=body.content, headers=headers) as answer,
            ):
                return self.history.answered(probes, answer.status, await answer.text(), time.monotonic() - started)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _is_stored(self, probe: Reading) -> bool:
        try:
            if self.influx is not None:
                return self.influx.holds(probe)
            rows = scan.embedded_rows(self.service.folder, probe.timestamp_ms, probe.timestamp_ms + 1)
            return any(row.tag == probe.tag for row in rows)
        except (OSError, sqlite3.Error):
            return False


@asynccontextmanager
async def influx_side(influxd: Influxd, server: InfluxServer) -> AsyncIterator[InfluxSide]:
    """New buckets on ``server``, with a proxy in front."""
    bucket = f"faults-{secrets.token_hex(4)}"
    for name in (bucket, f"{bucket}-rollup"):
        await asyncio.to_thread(make_bucket, server, name)
    async with proxied(server) as proxy:
        yield InfluxSide(influxd, server, proxy, bucket)


def service_in(folder: Path, influx: InfluxSide | None, options: Sequence[str], variables: dict[str, str]) -> Service:
    """A service that is not started yet; it sees the proxy in the place of InfluxDB."""
    if influx is None:
        return Service(folder, options, variables)
    where = {
        "--store": "influx",
        "--influx-url": influx.proxy.url,
        "--influx-org": influx.server.org,
        "--influx-bucket": influx.bucket,
        "--influx-rollup-bucket": f"{influx.bucket}-rollup",
        "--influx-timeout-seconds": "1",
        "--rollup-interval-seconds": "0.1",
    }
    wired = [word for option in where.items() for word in option]
    return Service(folder, [*wired, *options], {"INGEST_INFLUX_TOKEN": influx.server.token, **variables})

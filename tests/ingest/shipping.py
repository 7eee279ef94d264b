"""A shipper between a spool and the real InfluxDB, behind a proxy that breaks its writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from ingest.metrics import Metrics
from ingest.point_writer import InfluxAddress, PointWriter
from ingest.shipper import Backoff, Batching, Shipper
from ingest.spool import dead_letter
from ingest.spool.changes import Blob
from ingest.spool.file import FILE_NAME
from ingest.spool.spool import Spool
from ingest.sqlite import connect
from tests.ingest.influx_proxy import InfluxProxy, proxied
from tools.influx_server import InfluxServer, call

QUICK = Backoff(first_seconds=0.01, longest_seconds=0.02, blocked_seconds=0.03)


@dataclass(frozen=True)
class Shipping:
    spool: Spool
    shipper: Shipper
    proxy: InfluxProxy
    metrics: Metrics
    server: InfluxServer
    bucket: str
    folder: Path

    async def put(self, *lines: str) -> None:
        await self.spool.append([Blob("".join(f"{line}\n" for line in lines).encode(), len(lines))])

    async def settled(self) -> None:
        async with asyncio.timeout(20):
            while self.spool.depth.points:
                await asyncio.sleep(0.005)

    async def shows(self, metric: str) -> None:
        """Wait until ``/metrics`` has this line."""
        async with asyncio.timeout(20):
            while metric not in self.metrics.exposition().decode().splitlines():
                await asyncio.sleep(0.005)

    def stored(self) -> list[float]:
        parameters = {"db": self.bucket, "q": "SELECT v FROM m", "epoch": "ns"}
        (result,) = call(self.server, "GET", "/query", parameters=parameters)["results"]
        return [value for series in result.get("series", []) for _, value in series["values"]]

    def dead(self) -> list[tuple[bytes, str]]:
        with closing(connect(self.folder / FILE_NAME)) as connection:
            return [(letter.line, letter.reason) for letter in dead_letter.select(connection)]


@asynccontextmanager
async def shipping_to(
    server: InfluxServer,
    bucket: str,
    folder: Path,
    *,
    timeout_seconds: float = 5.0,
    gzip: bool = False,
    linger_seconds: float = 0.0,
) -> AsyncIterator[Shipping]:
    batching = Batching(max_points=100, max_bytes=10**6, linger_seconds=linger_seconds, writes_in_flight=2)
    async with proxied(server) as proxy:
        address = InfluxAddress(proxy.url, server.org, bucket, server.token)
        spool, metrics = Spool(folder, 10**8), Metrics()
        async with PointWriter(address, connections=2, timeout_seconds=timeout_seconds, gzip=gzip) as writer:
            shipper = Shipper(spool, writer, batching, metrics, QUICK)
            task = asyncio.create_task(shipper.run())
            yield Shipping(spool, shipper, proxy, metrics, server, bucket, folder)
            task.cancel()
            await asyncio.wait([task])
        await spool.close()

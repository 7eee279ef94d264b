"""A service of several processes in front of a real InfluxDB, and a look at each of them."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector

from tests.faults.service import Service, influx_options, served
from tools.influx_server import InfluxServer

START_MS = 1_539_112_021_301


def event(number: int) -> dict[str, Any]:
    return {"timestamp": START_MS + number, "tag": f"brasil.sul.s{number % 5}", "valor": str(number)}


@contextmanager
def staffed(
    folder: Path, server: InfluxServer, bucket: str, workers: int = 3, *others: str, **variables: str
) -> Iterator[Service]:
    """A service of so many processes that listens."""
    options = [*influx_options(server, bucket), "--workers", str(workers), *others]
    with served(folder, *options, INGEST_INFLUX_TOKEN=server.token, **variables) as service:
        yield service


def pids_beside(service: Service) -> list[int]:
    """The workers' processes, without the main one."""
    return [int(pid) for pid in Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()]


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def put_over_many(url: str, connections: int, each: int, first: int = 0) -> None:
    """Post ``each`` events, one at a time, over each of so many connections at once; all have to be acked."""

    async def put(start: int) -> None:
        async with ClientSession(url, connector=TCPConnector(limit=1)) as client:
            for number in range(start, start + each):
                async with client.post("/events", json=event(number)) as answer:
                    assert await answer.json() == {"accepted": 1, "rejected": []}, (number, answer.status)

    async with asyncio.TaskGroup() as all_of_them:
        for place in range(connections):
            all_of_them.create_task(put(first + place * each))


def wait_until_counted(service: Service, expected: int, seconds: float = 20) -> int:
    """What ``/counts`` says as soon as it is ``expected``, or in the end."""
    deadline = time.monotonic() + seconds
    while (counted := service.counted()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return counted


def events_of(log: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [entry for entry in log if entry.get("event") == name]

"""A service of several processes in front of a real InfluxDB, and a look at each of them."""

import asyncio
import socket
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


def connected(service: Service, pid: int, seconds: float = 20) -> socket.socket:
    """A connection that the process ``pid`` of the service has taken: the system says which one it comes to."""
    address = "127.0.0.1", int(service.url.rpartition(":")[2])
    deadline = time.monotonic() + seconds
    while True:
        client = socket.create_connection(address, timeout=seconds)
        if _taker(service, address[1], client.getsockname()[1]) == pid:
            return client
        client.close()
        assert time.monotonic() < deadline, f"no connection came to {pid}"


def _taker(service: Service, port: int, from_port: int) -> int | None:
    """Which process has accepted the connection to ``port`` from ``from_port``; None if none has within a second."""
    ends = f":{port:04X}", f":{from_port:04X}"
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        for inode in (line[9] for line in lines if line[1].endswith(ends[0]) and line[2].endswith(ends[1])):
            for pid in (service.pid, *pids_beside(service)):
                if any(_leads_to(path, f"socket:[{inode}]") for path in Path(f"/proc/{pid}/fd").iterdir()):
                    return pid
        time.sleep(0.01)
    return None


def _leads_to(path: Path, target: str) -> bool:
    try:
        return str(path.readlink()) == target
    except OSError:
        return False


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

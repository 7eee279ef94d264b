import asyncio
import resource
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession, web

from ingest.capacity import Bounds, Capacity
from ingest.metrics import Metrics
from ingest.server.answers import Refusals
from ingest.server.connection import Patience
from ingest.server.listening import Crowd, Doors, listening

PATIENCE = Patience(10, 10, 10)


class Slow:
    """A server on real sockets whose handler answers when it is told to."""

    def __init__(
        self,
        most_requests: int = 10,
        most_connections: int = 100,
        tls: ssl.SSLContext | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.go_on = asyncio.Event()
        self.handled = 0
        self.abandoned = asyncio.Event()
        self.metrics = Metrics()
        self._doors = Doors("127.0.0.1", 0, most_connections, patience, tls, handshake_seconds=0.2)
        self.capacity = Capacity(Bounds(most_requests, 10**6, 100.0), self.metrics.shed())

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        application = web.Application()
        application.router.add_post("/events", self._handle)
        application.router.add_get("/health", self._health)
        application.router.add_get("/read", self._read)
        runner = web.AppRunner(application)
        await runner.setup()
        assert runner.server is not None
        self.server = runner.server
        refusals = Refusals({"/events": "overloaded"})
        crowd = Crowd(runner.server, self._doors, self.capacity, refusals)
        try:
            async with listening(crowd, self._doors) as url:
                yield url
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self.handled += 1
        await self.go_on.wait()
        return web.Response(status=202)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(body=b" " * 16_000)

    async def _read(self, _: web.Request) -> web.Response:
        self.handled += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.abandoned.set()
            raise
        return web.Response()

    async def until_handled(self, number: int) -> None:
        while self.handled < number:
            await asyncio.sleep(0.01)


async def post(client: ClientSession) -> tuple[int, str | None, Any]:
    async with client.post("/events", data=b"{}") as answer:
        return answer.status, answer.headers.get("Retry-After"), await answer.text()


async def test_a_write_beyond_the_capacity_is_refused_at_the_gate_and_its_connection_goes_on() -> None:
    slow = Slow(most_requests=2, most_connections=100)
    async with slow.serving() as url, ClientSession(url) as client:
        at_work = [asyncio.create_task(post(client)) for _ in range(2)]
        await slow.until_handled(2)
        for _ in range(50):
            status, retry_after, text = await post(client)
            assert (status, retry_after) == (503, "1")
            assert '"code":"overloaded"' in text
        async with client.get("/health") as answer:
            assert answer.status == 200
        slow.go_on.set()
        assert [status for status, *_ in await asyncio.gather(*at_work)] == [202, 202]
        assert (await post(client))[0] == 202
        assert slow.handled == 3
        assert slow.capacity.gauges()["requests_at_work"] == 0
        assert b'ingest_shed_total{reason="requests"} 50.0' in slow.metrics.exposition()


async def test_a_client_that_gives_up_leaves_no_request_at_work_behind() -> None:
    slow = Slow(most_requests=2, most_connections=100)
    async with slow.serving() as url:
        async with ClientSession(url) as client:
            gone = asyncio.create_task(post(client))
            await slow.until_handled(1)
            gone.cancel()
        assert slow.capacity.gauges()["requests_at_work"] == 1
        slow.go_on.set()
        while slow.capacity.gauges()["requests_at_work"]:
            await asyncio.sleep(0.01)


async def test_a_client_that_is_gone_counts_until_its_request_is_done_though_another_stood_behind() -> None:
    slow = Slow(most_requests=2, most_connections=100)
    async with slow.serving() as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\n{}")
        await slow.until_handled(1)
        writer.write(b"GET /health HTTP/1.1\r\nHost: p\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.2)
        assert slow.capacity.gauges()["requests_at_work"] == 1
        slow.go_on.set()
        while slow.capacity.gauges()["requests_at_work"]:
            await asyncio.sleep(0.01)


async def test_who_takes_nothing_of_his_last_answer_loses_his_place() -> None:
    slow = Slow(patience=Patience(10, 1, 1))
    loop = asyncio.get_running_loop()
    async with slow.serving() as url:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", int(url.rpartition(":")[2])))
            while not waiting(slow):
                await loop.sock_sendall(client, b"GET /health HTTP/1.1\r\nHost: p\r\n\r\n")
                await asyncio.sleep(0.01)
            # Less than a buffer is left, so that nothing ever had to wait for this client.
            assert waiting(slow) < 2**16
            async with asyncio.timeout(20):
                while slow.server.connections:
                    await asyncio.sleep(0.05)


def waiting(slow: Slow) -> int:
    """Bytes that the system has not taken from the server yet."""
    transports = slow.server._connections.values()
    return sum(transport.get_write_buffer_size() for transport in transports)


async def test_nothing_is_read_for_a_client_that_is_gone() -> None:
    slow = Slow()
    async with slow.serving() as url, asyncio.timeout(20):
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /read HTTP/1.1\r\nHost: p\r\n\r\n")
        await slow.until_handled(1)
        writer.close()
        await slow.abandoned.wait()


async def test_a_connection_beyond_the_limit_hears_so_and_there_is_room_again_when_one_ends() -> None:
    slow = Slow(most_requests=10, most_connections=2)
    async with slow.serving() as url:
        port = int(url.rpartition(":")[2])
        async with ClientSession(url) as first, ClientSession(url) as second:
            for client in (first, second):
                async with client.get("/health") as answer:
                    assert answer.status == 200
            for _ in range(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                text = await reader.read()
                assert text.startswith(b"HTTP/1.1 503 "), text
                assert b"too_many_connections" in text
                writer.transport.abort()
        await asyncio.sleep(0.05)
        async with ClientSession(url) as third, third.get("/health") as answer:
            assert answer.status == 200


async def test_who_says_nothing_before_a_tls_handshake_is_cut_off() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with Slow(tls=context).serving() as url:
        assert url.startswith("https://")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.transport.abort()


async def test_without_a_file_descriptor_it_rests_and_takes_those_who_wait_when_there_is_one() -> None:
    slow = Slow(most_requests=10, most_connections=100)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with slow.serving() as url:
        port = int(url.rpartition(":")[2])
        clients = [socket.socket() for _ in range(5)]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest_descriptor(), limits[1]))
            for client in clients:
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
            await asyncio.sleep(0.7)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for client in clients:
                await asyncio.get_running_loop().sock_sendall(client, b"GET /health HTTP/1.1\r\nHost: p\r\n\r\n")
                async with asyncio.timeout(20):
                    assert (await asyncio.get_running_loop().sock_recv(client, 100)).startswith(b"HTTP/1.1 200 ")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for client in clients:
                client.close()


def highest_descriptor() -> int:
    return max(int(each.name) for each in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(("soft", "room"), [(10_000, 1000), (1300, 1000), (800, 500), (100, 50)])
def test_there_are_no_more_connections_than_file_descriptors(soft: int, room: int) -> None:
    # In a process of its own, for a hard limit never rises again.
    code = f"""
import resource
from ingest.server.descriptors import room_for
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {soft}))
print(room_for(1000))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.splitlines()[-1] == str(room)

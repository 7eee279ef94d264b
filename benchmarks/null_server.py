"""A server that takes events and forgets them, so that the sender is what is measured. ``GET`` says how many it took.

It counts the events of each body and answers as ingest does: a receipt, or 204 for line protocol.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import httptools
import uvloop

from tools.answering import wait_until_answering
from tools.influx_server import free_port

_START_SECONDS = 30.0
_GZIP: Final = 31


@dataclass
class Taken:
    events: int = 0
    requests: int = 0


class Client(asyncio.Protocol):
    """One connection. Its methods named ``on_…`` are called by the parser."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        self._transport.write(self._answer(body))

    def _answer(self, body: bytes) -> bytes:
        if self._parser.get_method() == b"GET":
            return _with_body(b"200 OK", b'{"events":%d,"requests":%d}' % (self._taken.events, self._taken.requests))
        # Only gzip starts like this, and to look at all headers would take longer than the rest.
        body = zlib.decompress(body, _GZIP) if body.startswith(b"\x1f\x8b") else body
        lines = self._url.startswith(b"/api/v2/write")
        events = body.count(b"\n") if lines else body.count(b'"timestamp":')
        self._taken.events += events
        self._taken.requests += 1
        if lines:
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        return _with_body(b"202 Accepted", b'{"accepted":%d,"rejected":[]}' % events)


def _with_body(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@dataclass(frozen=True)
class NullServer:
    """A running one."""

    url: str

    def taken(self) -> Taken:
        with urllib.request.urlopen(self.url, timeout=30) as answer:  # noqa: S310 - always http
            return Taken(**json.load(answer))


@contextmanager
def serving() -> Iterator[NullServer]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.null_server", str(port)])
    server = NullServer(f"http://127.0.0.1:{port}")
    try:
        if not wait_until_answering(f"{server.url}/health", _START_SECONDS, lambda: process.poll() is None):
            raise RuntimeError("the null server did not start")
        yield server
    finally:
        process.terminate()
        process.wait(10)


async def _serve(port: int) -> None:
    taken = Taken()
    server = await asyncio.get_running_loop().create_server(lambda: Client(taken), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(_serve(int(sys.argv[1])))

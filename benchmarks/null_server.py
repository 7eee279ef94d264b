"""A server that takes events and forgets them, so that the sender is what is measured. ``GET`` says how many it took.

It counts the events of each body and answers as ingest does: a receipt, or 204 for line protocol. It also plays an
InfluxDB on another machine that takes lines, finds nothing for any query, and answers ``delay_seconds`` late.
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
_NOTHING_IN_JSON: Final = b'{"results":[{}]}\n'
_NOTHING_IN_MESSAGE_PACK: Final = b"\x81\xa7results\x90"


@dataclass
class Taken:
    events: int = 0
    requests: int = 0


class Client(asyncio.Protocol):
    """One connection. Its methods named ``on_…`` are called by the parser."""

    def __init__(self, taken: Taken, delay_seconds: float) -> None:
        self._taken = taken
        self._delay_seconds = delay_seconds
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
        answer = self._answer(body)
        if self._delay_seconds:
            asyncio.get_running_loop().call_later(self._delay_seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _answer(self, body: bytes) -> bytes:
        if self._url.startswith(b"/query"):
            return _with_body(b"200 OK", _NOTHING_IN_JSON if b"chunked=true" in self._url else _NOTHING_IN_MESSAGE_PACK)
        if self._parser.get_method() == b"GET":
            return _with_body(b"200 OK", b'{"events":%d,"requests":%d}' % (self._taken.events, self._taken.requests))
        # Only gzip starts like this, and to look at all headers would take longer than the rest.
        body = zlib.decompress(body, _GZIP) if body.startswith(b"\x1f\x8b") else body
        lines = self._url.startswith(b"/api/v2/write")
        events = body.count(b"\n") + (not body.endswith(b"\n")) if lines else body.count(b'"timestamp":')
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
def serving(delay_seconds: float = 0.0) -> Iterator[NullServer]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.null_server", str(port), str(delay_seconds)])
    server = NullServer(f"http://127.0.0.1:{port}")
    try:
        if not wait_until_answering(f"{server.url}/health", _START_SECONDS, lambda: process.poll() is None):
            raise RuntimeError("the null server did not start")
        yield server
    finally:
        process.terminate()
        process.wait(10)


async def _serve(port: int, delay_seconds: float) -> None:
    taken = Taken()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(taken, delay_seconds), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(_serve(int(sys.argv[1]), float(sys.argv[2])))

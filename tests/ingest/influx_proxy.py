"""A scripted proxy in front of the real InfluxDB: refuses, stalls and breaks writes on demand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web

from tools.influx_server import InfluxServer


@dataclass(frozen=True)
class Say:
    """Answer a write oneself, without asking InfluxDB; status 0 closes the connection without a word."""

    status: int
    body: str = '{"code":"scripted","message":"scripted"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class PassAndForget:
    """Let InfluxDB store the points, then close the connection without its answer."""


class InfluxProxy:
    """``script`` is used up a write at a time; afterwards everything passes. ``away`` closes every connection."""

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self.script: deque[Say | PassAndForget] = deque()
        self.away = False
        self.writes = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        is_write = request.path.endswith("/write")
        self.writes += is_write
        step = self.script.popleft() if is_write and self.script else None
        if self.away:
            step = Say(0)
        if isinstance(step, Say):
            await asyncio.sleep(step.delay_seconds)
            return (
                web.Response(status=step.status, text=step.body, headers=step.headers)
                if step.status
                else _closed(request)
            )
        answer = await self._forward(request, body)
        return _closed(request) if isinstance(step, PassAndForget) else answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        kept = {
            name: value
            for name, value in request.headers.items()
            if name in ("Accept", "Authorization", "Content-Type", "Content-Encoding")
        }
        url = self._server.url + request.path_qs
        async with (
            ClientSession(auto_decompress=True) as client,
            client.request(request.method, url, data=body or None, headers=kept) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


def _closed(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def proxied(server: InfluxServer) -> AsyncIterator[InfluxProxy]:
    """A proxy on a port of its own."""
    proxy = InfluxProxy(server)
    application = web.Application(client_max_size=2**30)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield proxy
    await runner.cleanup()

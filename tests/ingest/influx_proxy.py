"""A scripted proxy in front of the real InfluxDB: refuses, stalls and breaks writes on demand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import ClientError, ClientSession, web

from tools.influx_server import InfluxServer


@dataclass(frozen=True)
class Say:
    """Answer a write oneself; status 0 closes the connection without a word. InfluxDB is not asked, but for ``stores``,
    the lines that it has to take before."""

    status: int
    body: str = '{"code":"scripted","message":"scripted"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    stores: bytes = b""


@dataclass(frozen=True)
class PassAndForget:
    """Let InfluxDB store the points, then close the connection without its answer."""


@dataclass(frozen=True)
class PassLate:
    """Let InfluxDB have the request later, whoever may have given up waiting meanwhile."""

    delay_seconds: float


@dataclass(frozen=True)
class Blurt:
    """Say these bytes, whatever they are, and close the connection; before that InfluxDB may store the points."""

    text: bytes
    stores: bool = False


Step = Say | PassAndForget | PassLate | Blurt
Rule = Callable[[str, bytes], Step | None]
"""What to do with a request, by its path (with the query) and its body; None lets it pass."""


class InfluxProxy:
    """``script`` is used up a write at a time; afterwards ``rule`` has its say on all requests, and the rest passes.

    ``away`` closes every connection.
    """

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self.script: deque[Step] = deque()
        self.rule: Rule | None = None
        self.away = False
        self.writes = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.writes += request.path.endswith("/write")
        match self._step(request, body):
            case Say(status=0):
                return _closed(request)
            case Say() as say:
                await asyncio.sleep(say.delay_seconds)
                if say.stores and (refused := await self._unless_stored(request, say.stores)):
                    return refused
                return web.Response(status=say.status, text=say.body, headers=say.headers)
            case PassLate(delay_seconds=seconds):
                await asyncio.sleep(seconds)
            case PassAndForget():
                await self._forward(request, body)
                return _closed(request)
            case Blurt() as blurt:
                if blurt.stores:
                    await self._forward(request, body)
                return _closed(request, blurt.text)
        return await self._forward(request, body) or _closed(request)

    async def _unless_stored(self, request: web.Request, lines: bytes) -> web.StreamResponse | None:
        answer = await self._forward(request, lines)
        return None if answer is not None and answer.status == HTTPStatus.NO_CONTENT else answer or _closed(request)

    def _step(self, request: web.Request, body: bytes) -> Step | None:
        if self.away:
            return Say(0)
        if self.script and request.path.endswith("/write"):
            return self.script.popleft()
        return self.rule(request.path_qs, body) if self.rule else None

    async def _forward(self, request: web.Request, body: bytes) -> web.Response | None:
        """InfluxDB's answer, None if it gives none."""
        kept = {
            name: value
            for name, value in request.headers.items()
            if name in ("Accept", "Authorization", "Content-Type", "Content-Encoding")
        }
        url = self._server.url + request.path_qs
        try:
            async with (
                ClientSession(auto_decompress=True) as client,
                client.request(request.method, url, data=body or None, headers=kept) as answer,
            ):
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)
        except ClientError:
            return None


def _closed(request: web.Request, last_words: bytes = b"") -> web.Response:
    if request.transport is not None and last_words:
        request.transport.write(last_words)
        request.transport.close()
    elif request.transport is not None:
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
    try:
        yield proxy
    finally:
        await runner.cleanup()

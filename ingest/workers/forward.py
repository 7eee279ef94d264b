"""What a worker does not answer itself is asked of the main process, and its answer goes out as it comes."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict, istr
from yarl import URL

from ingest.errors import MainUnavailable
from ingest.workers.inside import path_inside

# Whose request it is; only on the way from a worker to the main process it means anything.
_REMOTE: Final = istr("Pulso-Remote")
_PIECE_BYTES: Final = 64 * 2**10
# They are about one connection, and are anew for the next; no route that is forwarded reads a body.
_OF_THE_CONNECTION: Final = (
    hdrs.CONNECTION,
    hdrs.KEEP_ALIVE,
    hdrs.PROXY_AUTHENTICATE,
    hdrs.PROXY_AUTHORIZATION,
    hdrs.TE,
    hdrs.TRAILER,
    hdrs.TRANSFER_ENCODING,
    hdrs.UPGRADE,
    hdrs.EXPECT,
)
_ADDED: Final = (hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Forward:
    """Forwards requests over ``session``, which leads to the main process."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def routes(self) -> list[web.RouteDef]:
        """For whatever no other route takes."""
        return [web.route("*", "/{path:.*}", self.forward)]

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """The main process's answer. Raises MainUnavailable."""
        headers = _without(request.headers, (*_OF_THE_CONNECTION, hdrs.CONTENT_LENGTH))
        # In the place of what the client may have put there.
        headers[_REMOTE] = request.remote or ""
        path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
        url = URL.build(scheme="http", host="ingest", path=path, query_string=query, encoded=True)
        try:
            answer = await self._session.request(request.method, url, headers=headers, allow_redirects=False)
        except aiohttp.ClientError as error:
            raise MainUnavailable from error
        async with answer:
            return await _passed_on(request, answer)


async def _passed_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    passed = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=_without(answer.headers, _OF_THE_CONNECTION)
    )
    await passed.prepare(request)
    try:
        async for piece in answer.content.iter_chunked(_PIECE_BYTES):
            await passed.write(piece)
    except aiohttp.ClientError:
        # The status is out: only the end of the connection says that something is missing, as it does to this side.
        if request.transport is not None:
            request.transport.abort()
        return passed
    await passed.write_eof()
    return passed


@asynccontextmanager
async def forwarding(folder: Path) -> AsyncIterator[Forward]:
    """To the main process of ``folder``. Every request has a connection of its own, which ends with either side."""
    with path_inside(folder) as path:
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path, limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_ADDED,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=2**20,
            max_field_size=2**20,
        ) as session:
            yield Forward(session)


@web.middleware
async def as_from_its_client(request: web.Request, handler: Handler) -> web.StreamResponse:
    """In the main process: what a worker forwards is its client's, not the worker's."""
    line = request.transport.get_extra_info("socket") if request.transport else None
    if line is None or line.family != socket.AF_UNIX:
        return await handler(request)
    return await handler(request.clone(remote=request.headers.get(_REMOTE, "")))


def _without(headers: "CIMultiDict[str] | aiohttp.typedefs.LooseHeaders", names: tuple[str, ...]) -> "CIMultiDict[str]":
    kept = CIMultiDict(headers)
    for name in names:
        kept.popall(name, None)
    return kept

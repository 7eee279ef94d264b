"""The guard before the routes: who has no right to one is refused before the body is read."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import hdrs, web

from ingest.access import browsers
from ingest.access.admission import Admission
from ingest.access.browsers import HostNames
from ingest.access.client import ANONYMOUS, Client, Right
from ingest.access.passes import Pass
from ingest.errors import CrossSite, Forbidden, IngestError, UnknownHost
from ingest.metrics import Metrics
from ingest.seldom import Seldom

CLIENT: Final = web.RequestKey("client", Client)
PASS: Final = web.RequestKey("pass", Pass)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Wraps routes, so that their handlers run for clients with the right alone; ``request[CLIENT]`` is who it is.

    Of one that writes, ``request[PASS]`` lets the same head in again.
    """

    def __init__(self, admission: Admission, host_names: HostNames, metrics: Metrics) -> None:
        self._admission = admission
        self._host_names = host_names
        self._metrics = metrics
        self._read_now: dict[int, web.Request] = {}
        self._log = Seldom(structlog.get_logger("access").warning)

    def for_writing(self, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
        """For clients that may write."""

        def guarded(handler: Handler) -> Handler:
            async def written(request: web.Request) -> web.StreamResponse:
                request[CLIENT] = client = self._admitted(request, Right.WRITE)
                request[PASS] = self._admission.pass_of(client)
                return await handler(request)

            return written

        return [_with(route, guarded(route.handler)) for route in routes]

    def for_reading(self, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
        """For clients that may read, and only as long as they may."""

        def guarded(handler: Handler) -> Handler:
            async def read(request: web.Request) -> web.StreamResponse:
                request[CLIENT] = self._admitted(request, Right.READ)
                self._read_now[id(request)] = request
                try:
                    return await handler(request)
                finally:
                    del self._read_now[id(request)]

            return read

        return [_with(route, guarded(route.handler)) for route in routes]

    def for_all(self, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
        """For everybody; ``request[CLIENT]`` is there if it is one who may read."""

        def guarded(handler: Handler) -> Handler:
            async def told(request: web.Request) -> web.StreamResponse:
                with suppress(IngestError):
                    request[CLIENT] = self._client(request, Right.READ)
                return await handler(request)

            return told

        return [_with(route, guarded(route.handler)) for route in routes]

    def end_reads_of_the_revoked(self) -> None:
        """Cut the answers, such as live streams, that are under way to clients who may not read any more."""
        for request in list(self._read_now.values()):
            try:
                self._client(request, Right.READ, is_use=False)
            except IngestError:
                if request.transport is not None:
                    request.transport.abort()

    def _admitted(self, request: web.Request, right: Right) -> Client:
        try:
            return self._client(request, right)
        except IngestError as error:
            name = error.client if isinstance(error, Forbidden) else ""
            self._metrics.refused.labels(error.code, name).inc()
            self._log("request_refused", reason=error.code, client=name, remote=request.remote)
            raise

    def _client(self, request: web.Request, right: Right, *, is_use: bool = True) -> Client:
        headers = request.headers
        if browsers.is_for_another_site(headers) and (right is Right.WRITE or not browsers.is_a_visit(headers)):
            raise CrossSite
        client = self._admission.client(headers.getall(hdrs.AUTHORIZATION, ()), is_use=is_use)
        if not client.may(right):
            raise Forbidden(client.name, right)
        if client is ANONYMOUS and not self._host_names.know(headers.get(hdrs.HOST, "")):
            raise UnknownHost
        return client


def _with(route: web.RouteDef, handler: Handler) -> web.RouteDef:
    return web.RouteDef(route.method, route.path, handler, route.kwargs)

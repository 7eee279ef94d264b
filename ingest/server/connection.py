"""One connection of a client: aiohttp's, with an end to everything that a client can draw out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ingest.capacity import Capacity
from ingest.routes.answers import error_answer
from ingest.routes.security_headers import SECURITY_HEADERS
from ingest.server.answers import Refusals
from ingest.server.express import Express
from ingest.server.gate import Gate
from ingest.server.heads import Way

_SHOWN_CHARACTERS = 200
# A client that sends on after its answer is listened to for so long, or it might never see the answer.
_LINGERING_SECONDS = 2.0
# To whoever writes to a connection that is gone, where asyncio and aiohttp say ConnectionError.
_UVLOOP_SAYS_CLOSED = "the handler is closed"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection may take for a request's head, rest between requests, and take nothing of an answer."""

    head_seconds: float
    idle_seconds: float
    answer_seconds: float


class Connection(web.RequestHandler):
    """Serves one client; ``is_overdue`` tells when it has taken too long."""

    __slots__ = (
        "_capacity",
        "_closing_since",
        "_counted",
        "_express",
        "_gate",
        "_half_closed",
        "_head_since",
        "_is_handled",
        "_patience",
        "_stuck_since",
        "_wire",
    )

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        patience: Patience,
        capacity: Capacity,
        refusals: Refusals,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=patience.idle_seconds,
            lingering_time=_LINGERING_SECONDS,
            access_log=None,  # type: ignore[arg-type]
            # The body comes as it was sent: inflating has limits and reasons of its own.
            auto_decompress=False,
        )
        self._gate = Gate(self._parser, self, capacity, refusals)
        self._express = Express(loop, self._gate, capacity, self)
        self._parser: Any = self._gate
        self._patience = patience
        self._capacity = capacity
        self._counted = False
        # Until aiohttp is done with a request or the connection. It waits for the next one only when it has its turn
        # again: under load that is here before.
        self._is_handled = False
        self._head_since: float | None = None
        self._stuck_since: float | None = None
        # aiohttp forgets its transport when it closes it, while that still waits for its client to take what is left.
        self._wire: asyncio.Transport | None = None
        self._closing_since: float | None = None
        self._half_closed = False

    @property
    def counted(self) -> bool:
        """Whether the gate let the current request in and counts it."""
        return self._counted

    def is_overdue(self, now: float) -> bool:
        """Whether it is to be cut, at ``now`` on the loop's clock; a slow body is its handler's concern."""
        if self._closing_since is None and self._wire is not None and self._wire.is_closing():
            self._closing_since = now
        head_since, stuck_since, closing_since = self._head_since, self._stuck_since, self._closing_since
        patience = self._patience
        return (
            (head_since is not None and now - head_since > patience.head_seconds)
            or (stuck_since is not None and now - stuck_since > patience.answer_seconds)
            or (closing_since is not None and now - closing_since > patience.answer_seconds)
        )

    def is_idle(self) -> bool:
        waiter = self._waiter
        return (
            (not self._is_handled or (waiter is not None and not waiter.done()))
            and not self._messages
            and self._stuck_since is None
            and not self._express.is_busy
        )

    def idle_seconds(self, now: float) -> float:
        """How long it has been waiting for a request; 0 if it is not."""
        if self._closing_since is not None or not self.is_idle():
            return 0.0
        return now - (self._next_keepalive_close_time - self._keepalive_timeout)

    @property
    def is_silent(self) -> bool:
        """Whether no request has ever come."""
        return self._request_count == 0

    def count(self) -> None:
        self._counted = True

    def answer(self, whole: bytes) -> None:
        self._request_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(whole)

    def remember(self, request: web.BaseRequest, way: Way) -> None:
        """What comes after ``request``, which was let in, with the same head goes ``way``."""
        self._gate.remember(request.headers, way)

    def rest(self) -> None:
        """The express lane is empty again."""
        if self._express.is_awaited:
            # aiohttp goes on with that one, and ends this itself.
            return
        self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        if self._half_closed and not self._messages:
            self.force_close()

    def cut(self) -> None:
        self._capacity.shed.slow.inc()
        self.abort()

    def abort(self) -> None:
        if self._wire is not None:
            self._wire.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = self.transport
        # Whoever connects has something to say.
        self._head_since = self._loop.time()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether the connection stays open for the answers to what has come: writes, which may be kept already.

        A client that is gone for good looks the same, and nothing is read for it.
        """
        express = self._express
        # A body that has not come by now never will.
        express.forget()
        ends_with_write = self._gate.ends_with_write or (express.is_at_work and not express.is_awaited)
        self._half_closed = (
            ends_with_write and not self.is_idle() and self._stuck_since is None and self.ssl_context is None
        )
        return self._half_closed

    def data_received(self, data: bytes) -> None:
        if data and not self._close and not self._force_close and self._express.takes(data):
            # As of aiohttp's own requests, whose end a shutdown awaits.
            self._request_in_progress = self._request_in_progress or self._express.is_at_work
        else:
            self.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        """Have aiohttp parse ``data`` and handle what it is."""
        requests = self._request_count
        super().data_received(data)
        # aiohttp remembers what was wrong, with the frames that held the data: megabytes until a search for cycles.
        for message, _ in self._messages:
            _forget_frames(getattr(message, "exc", None))
        if self._request_count != requests:
            self._head_since = None
        elif self._head_since is None and self.is_idle():
            self._head_since = self._loop.time()

    def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        self._is_handled = True
        handled = super()._handle_request(request, start_time, request_handler)
        return self._in_its_turn(handled) if self._express.is_at_work else handled

    async def _in_its_turn(
        self, handled: Coroutine[Any, Any, tuple[web.StreamResponse, bool]]
    ) -> tuple[web.StreamResponse, bool]:
        await self._express.end()
        if self.transport is None:
            handled.close()
            raise ConnectionResetError("the client is gone")
        return await handled

    def _process_keepalive(self) -> None:
        # For aiohttp it rests while its lane is at work.
        if self._express.is_busy:
            self._keepalive_handle = self._loop.call_later(self._keepalive_timeout, self._process_keepalive)
        else:
            super()._process_keepalive()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck_since = self._loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPExpectationFailed):
            # It is raised before any of the application's own code sees the request.
            resp = error_answer(resp.status, "expectation_failed", "only Expect: 100-continue is known")
        try:
            finished = await super().finish_response(request, resp, start_time)
            if self._stuck_since is not None:
                # Small answers wait for nobody: a client that reads none of them would fill the memory with them.
                await self._taken()
            if self._half_closed and not self._messages:
                self.close()
            is_reset = finished[1]
            self._is_handled = is_reset or not resp.keep_alive or not request.content.is_eof()
            return finished
        except RuntimeError as error:
            if not str(error).endswith(_UVLOOP_SAYS_CLOSED):
                raise
            raise ConnectionResetError("the client is gone") from error
        finally:
            self._leave()

    async def _taken(self) -> None:
        try:
            await self._drain_helper()
        except ConnectionError:
            return

    def connection_lost(self, exc: BaseException | None) -> None:
        reading = self._task_handler if self._is_read() else None
        super().connection_lost(exc)
        self._express.forget()
        self._wire = None
        if self._waiter is not None or not self._is_handled:
            # No handler will come to what was let in. One that has begun finishes, and counts until then.
            self._leave()
        if reading is not None:
            reading.cancel()

    def _is_read(self) -> bool:
        """Whether what is at work is for its client alone."""
        request = self._current_request
        return request is not None and request.method == "GET"

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self._capacity.leave()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is answered and not logged: whoever sends it could fill the disk."""
        if status != HTTPStatus.BAD_REQUEST:
            return super().handle_error(request, status, exc, message)
        said = (message or "").partition("\n")[0][:_SHOWN_CHARACTERS].rstrip(": ")
        answer = error_answer(status, "bad_request", f"that is no HTTP request: {said}")
        # No application sees this answer, and aiohttp would put its version where no name is.
        answer.headers.update({**SECURITY_HEADERS, "Server": "ingest"})
        answer.force_close()
        return answer


def _forget_frames(error: BaseException | None) -> None:
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def is_counted(request: web.BaseRequest) -> bool:
    """Whether ``request`` is counted by the gate already."""
    connection = request.protocol
    return isinstance(connection, Connection) and connection.counted

"""A keep-alive HTTP/1.1 client with one request at a time, several times faster than a general one."""

import asyncio
import ssl
from typing import Final, cast

import httptools
import msgspec

from loadgen.faults import fault_text
from loadgen.target import Target

MOST_BODY_BYTES: Final = 16 << 20


class NoAnswerError(Exception):
    """No whole answer came, so nobody knows what became of the request. The text is the reason."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


async def refusal(target: Target, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> str | None:
    """Why the target can't be reached, so that thousands of events need not find out one by one; None if it can."""
    connection = Connection(target, timeout_seconds, tls)
    try:
        await connection.open()
    except NoAnswerError as reason:
        return str(reason)
    await connection.close()
    return None


class Connection:
    """One place in the queue of a server: a TCP connection, opened when needed and again when it was lost.

    ``tls`` is None for plain HTTP.
    """

    def __init__(self, target: Target, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._timeout_seconds = timeout_seconds
        self._tls = tls
        self._wire: Wire | None = None

    async def request(self, payload: bytes) -> Answer:
        """Send one whole HTTP request and wait for its answer; raises NoAnswerError. Never sends anything twice."""
        if self._wire is None or not self._wire.usable:
            self._wire = await self._connect()
        return await self._wire.request(payload, self._timeout_seconds)

    async def open(self) -> None:
        """Connect without a request; raises NoAnswerError if nobody is there."""
        self._wire = await self._connect()

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()

    async def _connect(self) -> "Wire":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                _, wire = await loop.create_connection(Wire, self._target.host, self._target.port, ssl=self._tls)
        except TimeoutError:
            raise NoAnswerError(f"no connection within {self._timeout_seconds:g} s") from None
        except OSError as error:
            raise NoAnswerError(fault_text(error)) from error
        return wire


class Wire(asyncio.Protocol):
    """One TCP connection, from its opening to its end."""

    def __init__(self) -> None:
        self.usable = False
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._answer: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_seconds = self._deadline = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._has_length = self._ends_at_eof = False

    async def request(self, payload: bytes, timeout_seconds: float) -> Answer:
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = answer
        self._ends_at_eof = False
        self._timeout_seconds = timeout_seconds
        self._deadline = self._loop.time() + timeout_seconds
        if self._timer is None:
            self._timer = self._loop.call_later(timeout_seconds, self._check_deadline)
        self._transport.write(payload)
        return await answer

    async def close(self) -> None:
        self._abort()
        await self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport has the methods without the base class, so isinstance can't tell.
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("the answer is not HTTP")

    def connection_lost(self, error: Exception | None) -> None:
        self._lost.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        if error is None and self._ends_at_eof:
            self.on_message_complete()
        self._fail("connection closed before the answer" if error is None else fault_text(error))

    def on_message_begin(self) -> None:
        if self._answer is None:
            # Nobody asked: it must not be taken for the answer to the next request.
            self._abort()
        self._body = bytearray()
        self._has_length = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._ends_at_eof = not (self._has_length or status < 200 or status in (204, 304))

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > MOST_BODY_BYTES:
            self._fail(f"the answer is larger than {MOST_BODY_BYTES >> 20} MiB")
        else:
            self._body += body

    def on_message_complete(self) -> None:
        self._ends_at_eof = False
        status = self._parser.get_status_code()
        answer = self._answer
        if answer is None or not self._parser.should_keep_alive():
            self._abort()
        if answer is not None and status >= 200:
            self._answer = None
            _settle(answer, Answer(status, bytes(self._body)))

    def _check_deadline(self) -> None:
        # One timer follows many requests: setting and cancelling one for each costs more than all the parsing.
        self._timer = None
        left_seconds = self._deadline - self._loop.time()
        if self._answer is not None and left_seconds <= 0:
            self._fail(f"no answer within {self._timeout_seconds:g} s")
        elif self._answer is not None:
            self._timer = self._loop.call_later(left_seconds, self._check_deadline)

    def _fail(self, reason: str) -> None:
        self._abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswerError(reason))
        self._answer = None

    def _abort(self) -> None:
        self.usable = False
        self._transport.abort()


def _settle(answer: asyncio.Future[Answer], value: Answer) -> None:
    if not answer.done():
        answer.set_result(value)

"""The body of a request, read within limits."""

import asyncio
from dataclasses import dataclass

from aiohttp import HttpVersion11, hdrs, web

from ingest.capacity import BodyShare
from ingest.decode.limits import ItemLimits
from ingest.errors import BodyTooLarge, BodyTooSlow, Overloaded

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The longest body, as it is sent and inflated, the longest wait for all of it, and what it may hold."""

    max_bytes: int
    max_inflated_bytes: int
    timeout_seconds: float
    items: ItemLimits
    messages_a_minute: int


async def read_body(request: web.Request, limits: BodyLimits, share: BodyShare) -> bytes:
    """All of the body, as it was sent; ``share`` grows with it. Raises BodyTooLarge, BodyTooSlow or Overloaded."""
    content = request.content
    if not content.is_eof():
        return await _arriving(request, limits, share)
    # It came with its head, as most small ones do: there is nothing to wait for.
    body = content.read_nowait()
    if len(body) > limits.max_bytes:
        raise BodyTooLarge(limits.max_bytes)
    share.grow_to(len(body))
    return body


async def _arriving(request: web.Request, limits: BodyLimits, share: BodyShare) -> bytes:
    declared = request.content_length or 0
    if declared > limits.max_bytes:
        raise BodyTooLarge(limits.max_bytes)
    # What is declared costs its sender nothing, so it takes no room: only what has come does.
    share.look(declared)
    loop = asyncio.get_running_loop()
    gave_way = False

    def give_way() -> None:
        nonlocal gave_way
        if not deadline.expired():
            gave_way = True
            deadline.reschedule(loop.time())

    try:
        async with asyncio.timeout(limits.timeout_seconds) as deadline:
            with share.arriving(give_way):
                return await _all_of(request, limits, share)
    except TimeoutError:
        raise (Overloaded() if gave_way else BodyTooSlow(limits.timeout_seconds)) from None


async def _all_of(request: web.Request, limits: BodyLimits, share: BodyShare) -> bytes:
    await _go_on(request)
    body = bytearray()
    while chunk := await _more_of(request):
        body += chunk
        if len(body) > limits.max_bytes:
            raise BodyTooLarge(limits.max_bytes)
        share.grow_to(len(body))
    return bytes(body)


async def _more_of(request: web.Request) -> bytes:
    try:
        return await request.content.readany()
    except RuntimeError as error:
        # So aiohttp says that the connection has ended before anybody asked for the body.
        if request.transport is None:
            raise ConnectionResetError("the client is gone") from error
        raise


async def _go_on(request: web.Request) -> None:
    """Tell a client that waits for it to send the body. HTTP/1.0 knows nothing of it."""
    if request.version >= HttpVersion11 and hdrs.EXPECT in request.headers:
        await request.writer.write(_CONTINUE)
        request.writer.output_size = 0


async def expected(request: web.Request) -> None:
    """The ``expect_handler`` of routes that read bodies here: nobody is to send one that is refused at its head."""
    if request.version >= HttpVersion11 and request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise web.HTTPExpectationFailed

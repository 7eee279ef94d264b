"""The body of a request, read and taken out of its content encoding, within limits."""

import asyncio
from dataclasses import dataclass

from aiohttp import hdrs, web

from ingest.body import decoded_body
from ingest.capacity import BodyShare
from ingest.decode.limits import ItemLimits
from ingest.errors import BodyTooLarge, BodyTooSlow

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The longest body, as it is sent and inflated, the longest wait for all of it, and what it may hold."""

    max_bytes: int
    max_inflated_bytes: int
    timeout_seconds: float
    items: ItemLimits
    messages_a_minute: int


async def read_body(request: web.Request, limits: BodyLimits, share: BodyShare, large: asyncio.Semaphore) -> bytes:
    """All of the body, inflated; ``share`` grows with it, and ``large`` gives turns to inflate.

    Raises BodyTooLarge, BodyTooSlow, Overloaded, UnknownEncoding or BrokenEncoding.
    """
    content = request.content
    if content.is_eof():
        # It came with its head, as most small ones do: there is nothing to wait for.
        body = content.read_nowait()
        if len(body) > limits.max_bytes:
            raise BodyTooLarge(limits.max_bytes)
        share.grow_to(len(body))
    else:
        body = await _arriving(request, limits, share)
    encoding = request.headers.get(hdrs.CONTENT_ENCODING)
    if encoding is None:
        if len(body) > limits.max_inflated_bytes:
            raise BodyTooLarge(limits.max_inflated_bytes)
        return body
    async with large:
        inflated = await decoded_body(body, encoding.strip().lower(), limits.max_inflated_bytes)
    share.grow_to(len(inflated))
    return inflated


async def _arriving(request: web.Request, limits: BodyLimits, share: BodyShare) -> bytes:
    declared = request.content_length or 0
    if declared > limits.max_bytes:
        raise BodyTooLarge(limits.max_bytes)
    share.grow_to(declared)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.timeout_seconds):
            await _go_on(request)
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limits.max_bytes:
                    raise BodyTooLarge(limits.max_bytes)
                share.grow_to(len(body))
    except TimeoutError:
        raise BodyTooSlow(limits.timeout_seconds) from None
    return bytes(body)


async def _go_on(request: web.Request) -> None:
    """Tell a client that waits for it to send the body."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)
        request.writer.output_size = 0


async def expected(_: web.Request) -> None:
    """The ``expect_handler`` of routes that read bodies here: nobody is to send one that is refused at its head."""

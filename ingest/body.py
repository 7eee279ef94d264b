"""The bytes of a request's body, taken out of their content encoding within a limit."""

import asyncio
import zlib

from ingest.errors import BodyTooLarge, BrokenEncoding, UnknownEncoding

# Below this, inflating costs less than handing the work to a thread.
_SMALL_BODY_BYTES = 4096
_GZIP_WINDOW_BITS = 31
_MAX_MEMBERS = 100


async def decoded_body(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """``body`` without its ``Content-Encoding`` (none, ``identity`` or ``gzip``), at most ``max_bytes`` long.

    Raises UnknownEncoding, BrokenEncoding (not gzip, cut short, or of too many members) or BodyTooLarge.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise UnknownEncoding(encoding)
    if len(body) <= _SMALL_BODY_BYTES:
        return gunzip(body, max_bytes)
    return await asyncio.to_thread(gunzip, body, max_bytes)


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """All the gzip members of ``body``; never holds more than ``max_bytes`` of what comes out."""
    members: list[bytes] = []
    room = max_bytes
    while body:
        if len(members) == _MAX_MEMBERS:
            # Each one copies what follows it: without an end, small members would cost the square of their number.
            raise BrokenEncoding(f"the body has more than {_MAX_MEMBERS} gzip members")
        inflater = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            member = inflater.decompress(body, room + 1)
        except zlib.error as error:
            raise BrokenEncoding(f"the body is not gzip: {error}") from error
        if len(member) > room:
            raise BodyTooLarge(max_bytes)
        if not inflater.eof:
            raise BrokenEncoding("the gzip body is cut short")
        members.append(member)
        room -= len(member)
        body = inflater.unused_data
    return b"".join(members)

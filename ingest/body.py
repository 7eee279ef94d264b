"""The bytes of a request's body, taken out of their content encoding within a limit."""

import asyncio
import zlib

from ingest.errors import BodyTooLarge, BrokenEncoding, UnknownEncoding

# Below this, inflating costs less than handing the work to a thread.
_SMALL_BODY_BYTES = 4096
_GZIP_WINDOW_BITS = 31
_MAX_MEMBERS = 100
# Pieces of the body, and of what comes out of it, so that neither is ever held twice.
_SLICE_BYTES = 64 * 2**10
_PIECE_BYTES = 256 * 2**10


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
    """All the gzip members of ``body``; never holds more than a little over ``max_bytes`` of what comes out."""
    pieces: list[bytes] = []
    room, members, inflater = max_bytes, 0, None
    for start in range(0, len(body), _SLICE_BYTES):
        left, has_more = body[start : start + _SLICE_BYTES], False
        while left or has_more:
            if inflater is None:
                members += 1
                if members > _MAX_MEMBERS:
                    # Each one copies what follows it in the slice.
                    raise BrokenEncoding(f"the body has more than {_MAX_MEMBERS} gzip members")
                inflater = zlib.decompressobj(_GZIP_WINDOW_BITS)
            piece = _inflated(inflater, left)
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise BodyTooLarge(max_bytes)
            left = inflater.unconsumed_tail or inflater.unused_data
            has_more = len(piece) == _PIECE_BYTES and not inflater.eof
            if inflater.eof:
                inflater = None
    if inflater is not None:
        raise BrokenEncoding("the gzip body is cut short")
    return b"".join(pieces)


def _inflated(inflater: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return inflater.decompress(data, _PIECE_BYTES)
    except zlib.error as error:
        raise BrokenEncoding(f"the body is not gzip: {error}") from error

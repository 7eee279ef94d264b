"""The bytes of a request's body, taken out of their content encoding within a limit."""

import asyncio
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from ingest.errors import BodyTooLarge, BrokenEncoding, UnknownEncoding

# Up to these, as it is sent and inflated, inflating costs less than handing the work to a thread.
_QUICK_BODY_BYTES = 4096
_SMALL_BYTES = 64 * 2**10
_GZIP_WINDOW_BITS = 31
_MAX_MEMBERS = 100
# Pieces of the body, and of what comes out of it, so that neither is ever held twice.
_SLICE_BYTES = 64 * 2**10
_PIECE_BYTES = 256 * 2**10
_PIECES_A_TURN = 4


class Growing(Protocol):
    """Room that a body takes."""

    def grow_to(self, size: int, /) -> None:
        """Raises IngestError if there is none."""
        ...


async def decoded_body(body: bytes, encoding: str, max_bytes: int, room: Growing) -> bytes:
    """``body`` without its ``Content-Encoding`` (``identity`` or ``gzip``), at most ``max_bytes`` long.

    Takes ``room`` piece by piece, as it grows, so that what is refused never was there. Raises UnknownEncoding,
    BrokenEncoding (not gzip, cut short, or of too many members), BodyTooLarge or what ``room`` does.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise UnknownEncoding(encoding)
    if len(body) <= _QUICK_BODY_BYTES and (whole := _inflated_at_once(body, max_bytes)) is not None:
        room.grow_to(len(whole))
        return whole
    pieces: list[bytes] = []
    size, inflating = 0, _pieces(body, max_bytes)
    while more := await asyncio.to_thread(lambda: list(islice(inflating, _PIECES_A_TURN))):
        pieces += more
        size += sum(map(len, more))
        room.grow_to(size)
    return b"".join(pieces)


def _inflated_at_once(body: bytes, max_bytes: int) -> bytes | None:
    """What is small inside as well, as most small bodies are; None for any other."""
    inflater = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        whole = inflater.decompress(body, _SMALL_BYTES)
    except zlib.error:
        return None
    return whole if inflater.eof and not inflater.unused_data and len(whole) <= max_bytes else None


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """All the gzip members of ``body``; never holds more than a little over ``max_bytes`` of what comes out."""
    return b"".join(_pieces(body, max_bytes))


def _pieces(body: bytes, max_bytes: int) -> Iterator[bytes]:
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
            yield piece
            room -= len(piece)
            if room < 0:
                raise BodyTooLarge(max_bytes)
            left = inflater.unconsumed_tail or inflater.unused_data
            has_more = len(piece) == _PIECE_BYTES and not inflater.eof
            if inflater.eof:
                inflater = None
    if inflater is not None:
        raise BrokenEncoding("the gzip body is cut short")


def _inflated(inflater: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return inflater.decompress(data, _PIECE_BYTES)
    except zlib.error as error:
        raise BrokenEncoding(f"the body is not gzip: {error}") from error

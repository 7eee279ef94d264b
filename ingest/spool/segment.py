"""How rows stand in a file of the journal: a head, then one record after the other, each with a checksum of its own."""

import struct
import zlib
from collections.abc import Iterator

import msgspec

_MAGIC = b"PJ1\n"
_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<IIQQ")
_PREFIX_BYTES = len(_MAGIC) + _CHECKSUM.size
_LINES_AT = _PREFIX_BYTES + _HEAD.size
_SECRET = struct.Struct("<Q")
_SECRET_AT = _LINES_AT - _SECRET.size
_LIFE = struct.Struct("<8sQQI")
_LIFE_MAGIC = b"PULSOJ1\n"


class Life(msgspec.Struct, frozen=True):
    """One use of a file, as the segment of this ``number``.

    ``secret`` is a random number of 64 bits: what an earlier life has left in the file is of another one, and nobody
    can send an event whose text passes for a record.
    """

    number: int
    secret: int

    def head(self) -> bytes:
        """What the file begins with."""
        head = _LIFE.pack(_LIFE_MAGIC, self.number, self.secret, 0)[: -_CHECKSUM.size]
        return head + _CHECKSUM.pack(zlib.crc32(head))


class Record(msgspec.Struct, frozen=True, gc=False):
    """A row as it stands in a file; ``time_ms`` is when it arrived."""

    time_ms: int
    points: int
    lines: bytes


class Broken(msgspec.Struct, frozen=True):
    """Bytes that should be records and are none: the disk altered what stood there."""

    at: int
    content: bytes


# The last of a segment that was filled: what stands before it was acked, all of it.
END = Record(0, 0, b"")


def packed(record: Record, life: Life) -> tuple[bytes, bytes]:
    """What is to be written one after the other: the head, and the lines as they are."""
    head = _HEAD.pack(len(record.lines), record.points, record.time_ms, life.secret)
    checksum = zlib.crc32(record.lines, zlib.crc32(head))
    return _MAGIC + _CHECKSUM.pack(checksum) + head, record.lines


def scanned(data: bytes, number: int, acked_bytes: int = 0) -> Iterator[Record | Broken]:
    """The records of the file of segment ``number``, in order, and what is broken between them.

    What stands after the last one was never acked, unless it is within the first ``acked_bytes``: it is of a write that
    a crash cut short, or of an earlier life of the file.
    """
    life = _life(data)
    if life is None:
        # Where the head is altered, nobody knows which records were of this life. Without any, nothing was acked.
        if acked_bytes or (any(data[: _LIFE.size]) and len(data) >= _LIFE.size + _LINES_AT):
            yield Broken(0, data)
        return
    if life.number != number:
        return
    at = _LIFE.size
    while found := _next(data, at, life):
        start, record = found
        if start > at:
            yield Broken(at, data[at:start])
        if record != END:
            yield record
        at = start + _LINES_AT + len(record.lines)
    if at < acked_bytes:
        yield Broken(at, data[at:acked_bytes])


def _life(data: bytes) -> Life | None:
    head = data[: _LIFE.size]
    if len(head) < _LIFE.size or not head.startswith(_LIFE_MAGIC):
        return None
    _, number, secret, checksum = _LIFE.unpack(head)
    return Life(number, secret) if zlib.crc32(head[: -_CHECKSUM.size]) == checksum else None


def _next(data: bytes, at: int, life: Life) -> tuple[int, Record] | None:
    """The first whole record at ``at`` or after it, and where it stands."""
    # By what no sender knows: texts could be full of anything else.
    secret = _SECRET.pack(life.secret)
    while (found := data.find(secret, at + _SECRET_AT)) >= 0:
        at = found - _SECRET_AT
        record = _record(data, at)
        if record is not None:
            return at, record
        at += 1
    return None


def _record(data: bytes, at: int) -> Record | None:
    """The one of this life at ``at``, if it is whole."""
    head = data[at + _PREFIX_BYTES : at + _LINES_AT]
    if not data.startswith(_MAGIC, at):
        return None
    length, points, time_ms, _ = _HEAD.unpack(head)
    lines = data[at + _LINES_AT : at + _LINES_AT + length]
    (checksum,) = _CHECKSUM.unpack_from(data, at + len(_MAGIC))
    if len(lines) != length or zlib.crc32(lines, zlib.crc32(head)) != checksum:
        return None
    return Record(time_ms, points, lines)

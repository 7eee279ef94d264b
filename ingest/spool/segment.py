"""How rows stand in a file of the journal: one record after the other, each with a checksum of its own."""

import struct
import zlib
from collections.abc import Iterator

import msgspec

_MAGIC = b"PJ1\n"
_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<IIQQ")
_PREFIX_BYTES = len(_MAGIC) + _CHECKSUM.size
_LINES_AT = _PREFIX_BYTES + _HEAD.size


class Record(msgspec.Struct, frozen=True, gc=False):
    """A row as it stands in a file; ``time_ms`` is when it arrived."""

    time_ms: int
    points: int
    lines: bytes


class Broken(msgspec.Struct, frozen=True):
    """Bytes between records that are none: the disk altered what stood there."""

    at: int
    content: bytes


def packed(record: Record, segment: int) -> tuple[bytes, bytes]:
    """What is to be written one after the other: the head, and the lines as they are.

    ``segment`` is in it because files are used again: what an earlier life of the file left behind says another one.
    """
    head = _HEAD.pack(len(record.lines), record.points, record.time_ms, segment)
    checksum = zlib.crc32(record.lines, zlib.crc32(head))
    return _MAGIC + _CHECKSUM.pack(checksum) + head, record.lines


def scanned(data: bytes, segment: int) -> Iterator[Record | Broken]:
    """The records of a file, in order, and what is broken between two of them.

    What stands after the last one was never acked: the write that a crash cut short, or an earlier life of the file.
    """
    at = 0
    while True:
        found = _next(data, at, segment)
        if found is None:
            return
        start, record = found
        if start > at:
            yield Broken(at, data[at:start])
        yield record
        at = start + _LINES_AT + len(record.lines)


def _next(data: bytes, at: int, segment: int) -> tuple[int, Record] | None:
    """The first whole record at ``at`` or after it, and where it stands."""
    while (at := data.find(_MAGIC, at)) >= 0:
        record = _record(data, at, segment)
        if record is not None:
            return at, record
        at += 1
    return None


def _record(data: bytes, at: int, segment: int) -> Record | None:
    head = data[at + _PREFIX_BYTES : at + _LINES_AT]
    if len(head) < _HEAD.size:
        return None
    length, points, time_ms, of_segment = _HEAD.unpack(head)
    lines = data[at + _LINES_AT : at + _LINES_AT + length] if of_segment == segment else b""
    (checksum,) = _CHECKSUM.unpack_from(data, at + len(_MAGIC))
    if len(lines) != length or of_segment != segment or zlib.crc32(lines, zlib.crc32(head)) != checksum:
        return None
    return Record(time_ms, points, lines)

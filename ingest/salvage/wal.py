"""SQLite's write-ahead log, frame by frame: what SQLite replays, and what it leaves out behind the first broken frame.

https://www.sqlite.org/fileformat2.html#walformat
"""

import os
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import mul
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF
_PAGE_SIZE = 4096
_HIGH = 96


class Frame(NamedTuple):
    """A page as a commit wrote it; ``offset`` is where the page begins.

    ``pages`` is the file's size after the commit that this frame ends, 0 if it ends none. It ``is_whole`` if its
    checksum is right.
    """

    page: int
    offset: int
    pages: int
    is_whole: bool


class Wal(NamedTuple):
    """``frames`` are all of the log's newest generation; SQLite replays the first ``replayed`` of them."""

    page_size: int
    frames: list[Frame]
    replayed: int

    @property
    def cut_off(self) -> int:
        """How many whole frames stand behind a broken one, the last of them a commit: they were written, most likely
        acknowledged, and SQLite drops them."""
        later = self.frames[self.replayed :]
        commits = [i for i, frame in enumerate(later) if frame.is_whole and frame.pages]
        return sum(frame.is_whole for frame in later[: commits[-1] + 1]) if commits else 0


def read_wal(path: Path) -> Wal | None:
    """None if there is no log, or nothing in it. What the disk does not give is as good as broken."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Wal | None:
    head = _at(descriptor, 0, _HEADER.size)
    if len(head) < _HEADER.size:
        return None
    header = _Header.of(head)
    salts = header.salts if header.is_whole else None
    unbroken = header.is_whole
    before = header.sums
    frames: list[Frame] = []
    replayed = 0
    for offset, frame in _frames(descriptor, header.page_size):
        number, pages, *rest = _FRAME.unpack(frame[: _FRAME.size])
        # Of a broken header nothing is sure; then the first frame tells which generation is the newest.
        salts = salts or (tuple(rest[:2]) if any(rest) else None)
        stated, sums_before = (rest[2], rest[3]), before
        before = stated
        if tuple(rest[:2]) != salts:
            unbroken = False
            continue
        is_whole = sums_of(frame[:8] + frame[_FRAME.size :], header.order, sums_before) == stated and number > 0
        unbroken = unbroken and is_whole
        frames.append(Frame(number, offset + _FRAME.size, pages, is_whole))
        if unbroken and pages:
            replayed = len(frames)
    return Wal(header.page_size, frames, replayed)


class _Header(NamedTuple):
    is_whole: bool
    order: str
    page_size: int
    salts: tuple[int, ...]
    sums: tuple[int, int]

    @classmethod
    def of(cls, head: bytes) -> "_Header":
        magic, _, page_size, _, salt1, salt2, *sums = _HEADER.unpack(head)
        # x86 and ARM write it so; a broken head has no say.
        order = ">" if magic & ~1 == _MAGIC and magic & 1 else "<"
        is_whole = magic & ~1 == _MAGIC and sums_of(head[:24], order, (0, 0)) == tuple(sums)
        return cls(is_whole, order, page_size if is_whole else _PAGE_SIZE, (salt1, salt2), (sums[0], sums[1]))


def _frames(descriptor: int, page_size: int) -> Iterator[tuple[int, bytes]]:
    size = _FRAME.size + page_size
    for at in range(_HEADER.size, os.fstat(descriptor).st_size - size + 1, size):
        yield at, _at(descriptor, at, size).ljust(size, b"\0")


def _at(descriptor: int, at: int, size: int) -> bytes:
    try:
        return os.pread(descriptor, size, at)
    except OSError:
        return bytes(size)


def sums_of(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """A frame's checksum, from that of the one before.

    SQLite adds up word by word; each word's share in the end is known, and that is four times as quick.
    """
    words = list(struct.unpack(f"{order}{len(data) // 4}I", data))
    words[0] += sums[0] + sums[1]
    words[1] += sums[1]
    total = sum(map(mul, _shares(len(words)), words))
    return total >> _HIGH & _MASK, total & _MASK


@lru_cache(maxsize=8)
def _shares(words: int) -> Sequence[int]:
    """How often each of so many words is in the first sum, above ``_HIGH``, and in the second."""
    shares: list[int] = []
    first, second = 1, 1
    for _ in range(words // 2):
        shares += ((second - first & _MASK) << _HIGH | first, first << _HIGH | second)
        first, second = (first + second) & _MASK, (first + 2 * second) & _MASK
    return shares[::-1]

"""The pages of an SQLite file as its last commit left them, read without SQLite."""

import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest.salvage.wal import Wal, read_wal

_HEAD = struct.Struct(">16sH")
_MAGIC = b"SQLite format 3\x00"
_PAGE_SIZE = 4096


class Image:
    """A context manager. The file, the log or both may be missing, cut off or broken anywhere.

    Its pages are those that SQLite itself would read; with ``newest`` what is behind a break of the log counts, too.
    """

    def __init__(self, path: Path, *, newest: bool = False) -> None:
        self._path = path
        self._wal_path = path.with_name(path.name + "-wal")
        self.wal: Wal | None = read_wal(self._wal_path)
        frames = self.wal.frames if self.wal else []
        replayed = self.wal.replayed if self.wal else 0
        behind = frames[replayed:]
        self._offsets = {frame.page: frame.offset for frame in frames[:replayed]}
        self._doubtful = [frame.offset for frame in behind if not frame.is_whole]
        self._newer = {frame.page: frame.offset for frame in behind if frame.is_whole}
        if newest:
            # A frame whose checksum is wrong is better than none: every row has a checksum of its own.
            self._offsets |= {frame.page: frame.offset for frame in behind if not frame.is_whole} | self._newer

    def __enter__(self) -> Self:
        self._file = self._path.open("rb", buffering=0) if self._path.exists() else None
        self._wal_file = self._wal_path.open("rb", buffering=0) if self.wal else None
        self.page_size = self._page_size()
        self.size = self._path.stat().st_size // self.page_size if self._file else 0
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in (self._file, self._wal_file):
            if file:
                file.close()

    def _page_size(self) -> int:
        if self.wal:
            return self.wal.page_size
        magic, size = _HEAD.unpack(self._head().ljust(_HEAD.size))
        is_sane = magic == _MAGIC and size in (2**power for power in range(9, 16))
        return size if is_sane else _PAGE_SIZE

    def _head(self) -> bytes:
        try:
            return self._file.read(_HEAD.size) if self._file else b""
        except OSError:
            return b""

    @property
    def most_bytes(self) -> int:
        """How much there is at most; a broken frame may claim to be any page."""
        return (self.size + 1 + len(self._offsets)) * self.page_size

    def page(self, number: int) -> bytes:
        """The page; empty if there is none, or the disk does not give it."""
        try:
            if number in self._offsets:
                return self._at(self._offsets[number])
            if self._file is None or not 1 <= number <= self.size + 1:
                return b""
            self._file.seek((number - 1) * self.page_size)
            return self._whole(self._file.read(self.page_size))
        except OSError:
            return b""

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """Every page."""
        for number in chain(range(1, self.size + 2), sorted(self._offsets.keys() - range(1, self.size + 2))):
            yield number, self.page(number)

    def pages_behind(self) -> Iterator[tuple[int, bytes]]:
        """What stands behind the log's first break: of each page the newest that is whole, and all that are not."""
        for number, offset in self._newer.items():
            yield number, self._at(offset)
        for offset in self._doubtful:
            yield 0, self._at(offset)

    def _whole(self, page: bytes) -> bytes:
        return page.ljust(self.page_size, b"\0") if page else page

    def _at(self, offset: int) -> bytes:
        if self._wal_file is None:
            return b""
        try:
            self._wal_file.seek(offset)
            return self._wal_file.read(self.page_size)
        except OSError:
            return b""

    def overflow(self, first: int, size: int) -> bytes:
        """``size`` bytes of the chain of overflow pages that begins at ``first``; fewer where it breaks off, or bites
        its own tail."""
        parts: list[bytes] = []
        seen: set[int] = set()
        number, missing = first, size
        while missing > 0 and number and number not in seen:
            seen.add(number)
            page = self.page(number)
            if len(page) <= 4:
                break
            number = int.from_bytes(page[:4], "big")
            parts.append(page[4 : 4 + missing])
            missing -= len(parts[-1])
        return b"".join(parts)

    def free_pages(self) -> set[int]:
        """The pages that the file says it does not use; what a broken list says is only a hint."""
        free: set[int] = set()
        trunk = int.from_bytes(self.page(1)[32:36], "big")
        while trunk and trunk not in free:
            page = self.page(trunk)
            if not page:
                break
            count = min(int.from_bytes(page[4:8], "big"), self.page_size // 4 - 2)
            free |= {trunk, *struct.unpack(f">{count}I", page[8 : 8 + 4 * count].ljust(4 * count, b"\0"))}
            trunk = int.from_bytes(page[:4], "big")
        return free

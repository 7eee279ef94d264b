"""A word beside the spool of how far it has come, so that a file that is gone, cut off or an older one is noticed.

SQLite could not say so: without its log, or with half of it, a file is as good as any other.
"""

import os
import struct
import time
import zlib
from pathlib import Path
from typing import NamedTuple

_EVERY_SECONDS = 0.02
_WORD = struct.Struct(">QQQ")
_CHECKED = struct.Struct(">QQQI")


class Held(NamedTuple):
    """``last_id`` is the newest row's id and ``points`` is how many waited, at Unix ``time_ms``."""

    last_id: int
    points: int
    time_ms: int


class HeldFile:
    """The word itself, never ahead of a commit and hardly behind one; after a power cut it may be an older one.

    Raises OSError when made.
    """

    def __init__(self, spool: Path) -> None:
        self._path = spool.with_name(spool.name + ".held")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._next_at = 0.0

    def read(self) -> Held | None:
        """None if there never was a spool, or nothing is known of it."""
        data = os.pread(self._file, _CHECKED.size, 0)
        if len(data) < _CHECKED.size or zlib.crc32(data[: _WORD.size]) != int.from_bytes(data[_WORD.size :], "big"):
            return None
        return Held(*_WORD.unpack(data[: _WORD.size]))

    def is_there(self) -> bool:
        """Whether its folder is still where it was. Raises OSError."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False

    def commit(self, last_id: int, points: int) -> None:
        """To be called after each commit. Raises OSError."""
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + _EVERY_SECONDS
            self._write(last_id, points)

    def _write(self, last_id: int, points: int) -> None:
        word = _WORD.pack(last_id, max(0, points), time.time_ns() // 1_000_000)
        os.pwrite(self._file, word + zlib.crc32(word).to_bytes(4, "big"), 0)

    def close(self) -> None:
        os.close(self._file)

"""A batch: lines of NDJSON that travel in one request."""

import msgspec


class Batch(msgspec.Struct, frozen=True, gc=False):
    """``first`` is the number of its first line, from 0, among all that are delivered; lines end in a newline."""

    first: int
    lines: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        return b"".join(self.lines)

    def halves(self) -> "tuple[Batch, Batch]":
        middle = len(self.lines) // 2
        return Batch(self.first, self.lines[:middle]), Batch(self.first + middle, self.lines[middle:])

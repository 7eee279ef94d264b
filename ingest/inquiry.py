"""Which lines of a refused batch are bad: InfluxDB says how many it dropped, and why, but not which."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ingest.line_parser import Line, measurement_text, parse_fields, parse_lines, split_lines
from ingest.outcome import Answer
from ingest.spool.dead_letter import DeadLetter

Write = Callable[[bytes], Awaitable[Answer | None]]
"""Sends lines until they are stored (None) or some are refused (the answer)."""

_Shape = tuple[bytes, ...]


class Inquiry:
    """Sends a refused batch again in parts; the good lines that come with a part are stored by that.

    Lines alike (of the same measurement, fields and types) are mostly all good or all bad, so a batch of bad lines
    costs few writes, not two a line.
    """

    def __init__(self, write: Write) -> None:
        self._write = write

    async def dead_letters(self, lines: bytes, refused: Answer) -> list[DeadLetter]:
        """Return once InfluxDB has every line but the returned ones, which it refuses for good, with its reason."""
        groups = alike(split_lines(lines))
        if len(groups) == 1:
            return await self._bad_among(groups[0], refused)
        return await self._bad_of(groups)

    async def _bad_of(self, parts: Iterable[Sequence[bytes]]) -> list[DeadLetter]:
        dead: list[DeadLetter] = []
        for part in parts:
            refused = await self._write(b"".join(part))
            if refused is not None:
                dead += await self._bad_among(part, refused)
        return dead

    async def _bad_among(self, lines: Sequence[bytes], refused: Answer) -> list[DeadLetter]:
        if len(lines) <= 1 or refused.dropped == len(lines):
            now_ms = time.time_ns() // 1_000_000
            return [DeadLetter(line, refused.reason, now_ms) for line in lines]
        # A 422 has stored the good lines already; sending them again changes nothing.
        middle = len(lines) // 2
        return await self._bad_of((lines[:middle], lines[middle:]))


def alike(lines: Iterable[bytes]) -> list[list[bytes]]:
    """Groups of lines with the same measurement, fields and types, each by time: a retention takes the oldest."""
    groups: dict[_Shape, list[tuple[int, bytes]]] = {}
    for text in lines:
        line = next(parse_lines(text), None)
        parsed = line if isinstance(line, Line) else None
        shape = _shape(parsed) if parsed else ()
        groups.setdefault(shape, []).append(((parsed.time or 0) if parsed else 0, text))
    # Lines of the same time stay in the order they came.
    return [[text for _, text in sorted(group, key=lambda timed: timed[0])] for group in groups.values()]


def _shape(line: Line) -> _Shape:
    fields = (name + b"=" + _type(value) for name, value in parse_fields(line.fields))
    return measurement_text(line.key), *sorted(fields)


def _type(value: bytes) -> bytes:
    if value[:1] == b'"':
        return b"string"
    if value[-1:] in (b"i", b"u"):
        return value[-1:]
    return b"float" if value[:1] in b"-.0123456789" else b"boolean"

"""The recording: the lines of all files in the order of time, a few in memory at a time."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Final

from loadgen.replay.lines import Line, read
from loadgen.replay.problems import Problems

TIMESTAMP: Final = re.compile(rb'("timestamp"\s*:\s*)-?\d+')
# What tells how deep a text of JSON is nested, and its texts, with the number if one is the name of a number.
TOKEN: Final = re.compile(rb'(?P<text>"(?:[^"\\]|\\.)*")(?:\s*:\s*(?P<number>-?\d+))?|[\[{]|[\]}]')


class Recording:
    """The lines of groups of files. ``bytes_read`` says how far the reading is."""

    def __init__(self, groups: Sequence[Sequence[Path]], problems: Problems) -> None:
        self._groups = groups
        self._problems = problems
        self._read_to: dict[Path, int] = {}

    @property
    def bytes_read(self) -> int:
        return sum(self._read_to.values())

    def lines(self) -> Iterator[Line]:
        """Group after group; within a group the files side by side, whichever has the oldest event next."""
        for group in self._groups:
            files = [read(file, self._problems, self._read_to.__setitem__) for file in group]
            yield from files[0] if len(files) == 1 else merge(*files, key=attrgetter("timestamp"))


def shifted(lines: Iterator[Line], start_ms: Callable[[], int]) -> Iterator[Line]:
    """The lines with other timestamps: the first has that of ``start_ms``, all others their distance from it."""
    first = next(lines, None)
    if first is None:
        return
    shift_ms = start_ms() - first.timestamp
    for line in chain([first], lines):
        timestamp = line.timestamp + shift_ms
        yield Line(_with_timestamp(line, timestamp), timestamp, line.file, line.number)


def _with_timestamp(line: Line, timestamp: int) -> bytes:
    """The line with nothing changed but its time, for ingest also judges how its numbers and texts are spelled."""
    if b"\\" not in line.raw and line.raw.count(b"{") == 1:
        return TIMESTAMP.sub(rb"\g<1>%d" % timestamp, line.raw)
    pieces, end = [], 0
    for first, last in _timestamps(line.raw):
        pieces += [line.raw[end:first], b"%d" % timestamp]
        end = last
    return b"".join([*pieces, line.raw[end:]])


def _timestamps(raw: bytes) -> Iterator[tuple[int, int]]:
    """Where the event's own timestamp stands, twice if it does; not those of what is nested in the event."""
    depth = 0
    for token in TOKEN.finditer(raw):
        if token["text"] is None:
            depth += 1 if token[0] in b"[{" else -1
        elif depth == 1 and token["number"] and _text(token["text"]) == "timestamp":
            yield token.span("number")


def _text(spelled: bytes) -> str:
    text: str = json.loads(spelled.decode(errors="replace"))
    return text

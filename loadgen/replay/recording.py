"""The recording: the lines of all files in the order of time, a few in memory at a time."""

import re
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from loadgen.replay.lines import Line, read
from loadgen.replay.problems import Problems

TIMESTAMP: Final = re.compile(rb'("timestamp"\s*:\s*)(-?\d+)')


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
    raw, replaced = TIMESTAMP.subn(rb"\g<1>%d" % timestamp, line.raw)
    if replaced == 1:
        return raw
    # The key is spelled with escapes, or there twice: put together anew, the service judges it as before.
    return msgspec.json.encode(msgspec.json.decode(line.raw) | {"timestamp": timestamp}) + b"\n"

"""Which minutes points lie in: what has to be counted again once they are stored."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from ingest.event import MAX_TIMESTAMP_MS
from ingest.line_parser import ANY_LINE
from ingest.line_protocol import MEASUREMENT

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
_TEN_SECONDS_MS = 10_000
# Where a minute was touched by more sensors than these, counting all of it is quicker than one by one.
_FEW_TAGS = 16

# An event as line_protocol writes it, or else any line, whole: so that no search ever begins inside a text, which may
# hold what looks like lines. The time is cut to tens of seconds: so most lines of a batch look alike.
_LINE = re.compile(
    rb"^" + MEASUREMENT.encode() + rb",(country=[^ ]++) "
    rb'(?:v[^ ]++|text="[^"\\]*+(?>(?:\\.[^"\\]*+)*)") (?:([0-9]{1,9})[0-9]{10}|[0-9]{1,10})$'
    rb"|^" + ANY_LINE,
    re.DOTALL | re.MULTILINE,
)
# What a mark says goes into queries: nothing but a segment's characters may pass.
_SERIES = re.compile(r"country=([\w-]+),region=([\w-]+),sensor=([\w-]+),status=[a-z]+")
_TAG = re.compile(r"(?:[\w-]+\.[\w-]+\.[\w-]+)?")
_TIME_BITS = 63


class Mark(msgspec.Struct, frozen=True, order=True, gc=False):
    """What is to be counted again: the time from ``start_ms`` (Unix ms) on, of ``tag`` or, where that is "", of all."""

    start_ms: int
    tag: str


def touched(lines: bytes) -> set[Mark]:
    """The marks of every event among ``lines``; points of other measurements leave none."""
    tags_at: defaultdict[int, set[str]] = defaultdict(set)
    for key, tens in set(_LINE.findall(lines)):
        series = _SERIES.fullmatch(key.decode(errors="replace"))
        time_ms = int(tens or b"0") * _TEN_SECONDS_MS
        if series is not None and time_ms <= MAX_TIMESTAMP_MS:
            tags_at[time_ms - time_ms % MINUTE_MS].add(".".join(series.groups()))
    return _marks(tags_at)


def marks_of(timestamps_ms: Sequence[int], tags: Sequence[str]) -> frozenset[Mark]:
    """The marks of events, whose times and tags these are."""
    first, last = (time_ms - time_ms % MINUTE_MS for time_ms in (min(timestamps_ms), max(timestamps_ms)))
    if len(tags) == 1:
        return frozenset((Mark(first, tags[0]),))
    if first == last:
        # Most bodies are of one minute, and of more sensors than matter.
        return frozenset(Mark(first, tag) for tag in few(set(tags)))
    tags_at: defaultdict[int, set[str]] = defaultdict(set)
    for time_ms, tag in zip(timestamps_ms, tags, strict=True):
        tags_at[time_ms - time_ms % MINUTE_MS].add(tag)
    return frozenset(_marks(tags_at))


def merged(marks: Iterable[Mark]) -> set[Mark]:
    """Those that say the same, each once: one of all sensors stands for theirs."""
    tags_at: defaultdict[int, set[str]] = defaultdict(set)
    for mark in marks:
        tags_at[mark.start_ms].add(mark.tag)
    return _marks(tags_at)


def _marks(tags_at: Mapping[int, Set[str]]) -> set[Mark]:
    return {Mark(minute_ms, tag) for minute_ms, tags in tags_at.items() for tag in few(tags)}


def few(tags: Set[str]) -> Set[str]:
    """``tags``, or the one that stands for all where they are too many to be counted one by one."""
    return {""} if "" in tags or len(tags) > _FEW_TAGS else tags


def mended(mark: Mark) -> Mark | None:
    """``mark`` if it is as ``touched`` makes them.

    Of one that a bad disk gave back, what is surely to be counted again; None if that cannot be known.
    """
    start_ms = _minute(mark.start_ms)
    if start_ms is None:
        return None
    # Where it is not known which sensor's minute it was: all of them.
    return Mark(start_ms, mark.tag if _TAG.fullmatch(mark.tag) else "")


def _minute(start_ms: object) -> int | None:
    if not isinstance(start_ms, int):
        return None
    # A flipped bit never makes a whole minute of another one, so that the only way back is the right one.
    near = (start_ms, *(start_ms ^ 1 << bit for bit in range(_TIME_BITS)))
    return next((ms for ms in near if 0 <= ms <= MAX_TIMESTAMP_MS and ms % MINUTE_MS == 0), None)

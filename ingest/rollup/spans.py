"""Marks to spans of time: few queries, none of them endless."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ingest.event import NS_PER_MS
from ingest.minutes import HOUR_MS, Mark, few

# A query for all sensors costs by what lies in it; one for a sensor costs hardly more for a day than for a minute.
_LONGEST_OF_ALL_MS = HOUR_MS
_LONGEST_OF_ONE = 1440
_GAP_OF_ONE = 30


class Span(msgspec.Struct, frozen=True, order=True):
    """``start_ms`` <= time < ``stop_ms`` (Unix ms), of the sensor or region ``tag`` or, where that is "", of all."""

    start_ms: int
    stop_ms: int
    tag: str


def times(span: Span) -> list[str]:
    """When it is, as conditions in InfluxQL."""
    return [f"time >= {span.start_ms * NS_PER_MS}", f"time < {span.stop_ms * NS_PER_MS}"]


def spans(marks: Iterable[Mark], window_ms: int) -> list[Span]:
    """Spans of whole windows that cover ``marks``, the newest first; windows that lie between near ones come along."""
    tags_at: defaultdict[int, set[str]] = defaultdict(set)
    for mark in marks:
        tags_at[mark.start_ms].add(mark.tag)
    starts_of: defaultdict[str, list[int]] = defaultdict(list)
    for start_ms in sorted(tags_at):
        for tag in few(tags_at[start_ms]):
            starts_of[tag].append(start_ms)
    return sorted(
        (span for tag, starts in starts_of.items() for span in _covering(tag, starts, window_ms)), reverse=True
    )


def _covering(tag: str, starts: Sequence[int], window_ms: int) -> Iterator[Span]:
    gap, longest_ms = (_GAP_OF_ONE, _LONGEST_OF_ONE * window_ms) if tag else (0, _LONGEST_OF_ALL_MS)
    first = last = starts[0]
    for start in starts[1:]:
        if start - last > (gap + 1) * window_ms or start - first >= longest_ms:
            yield Span(first, last + window_ms, tag)
            first = start
        last = start
    yield Span(first, last + window_ms, tag)

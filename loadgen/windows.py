"""Windows: a run's events made again, in pieces of time small enough to compare in memory."""

from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum
from heapq import merge
from itertools import islice

import msgspec

from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.results import Record
from loadgen.sensors import Event, Stream

WINDOW_EVENTS = 100_000


class Fate(Enum):
    """What the run knew of an event at its end."""

    ACKED = "acked"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One sending of an event; an event that is sent twice has two."""

    event: Event
    fate: Fate


class Window(msgspec.Struct, frozen=True):
    """All that the run sent with timestamps from ``start_ms`` up to, not including, ``stop_ms`` (Unix ms)."""

    start_ms: int
    stop_ms: int
    sent: list[Sent]


def windows(record: Record, size: int = WINDOW_EVENTS) -> Iterator[Window]:
    """The whole run in order; a window holds about ``size`` events and never splits a millisecond."""
    piece: list[Sent] = []
    for sent in _sent(record, size):
        if len(piece) >= size and sent.event.timestamp > piece[-1].event.timestamp:
            yield _window(piece)
            piece = []
        piece.append(sent)
    if piece:
        yield _window(piece)


def _window(piece: list[Sent]) -> Window:
    return Window(piece[0].event.timestamp, piece[-1].event.timestamp + 1, piece)


def _sent(record: Record, size: int) -> Iterator[Sent]:
    """In order of time; of several processes each has its own order, and numbers of its own in the record."""
    shares = [_in_time(record, plan, size) for plan in record.plan.shares()]
    return shares[0] if len(shares) == 1 else merge(*shares, key=_timestamp)


def _in_time(record: Record, plan: Plan, size: int) -> Iterator[Sent]:
    """One share in order of time: what came late or again stands where it belongs.

    Holds about ``size`` events, and those between the oldest that was still held back and its turn.
    """
    stream = Stream(plan)
    sent = _sent_by(record, plan, iter(stream))
    waiting: list[Sent] = []
    while piece := list(islice(sent, size)):
        waiting = sorted(waiting + piece, key=_timestamp)
        newest_ms, held_ms = waiting[-1].event.timestamp, stream.oldest_held_ms
        settled_ms = newest_ms if held_ms is None else min(newest_ms, held_ms)
        settled = bisect_left(waiting, settled_ms, key=_timestamp)
        yield from waiting[:settled]
        waiting = waiting[settled:]
    yield from waiting


def _sent_by(record: Record, plan: Plan, stream: Iterator[Event]) -> Iterator[Sent]:
    """In order of sending."""
    pacer = Pacer.of(plan)
    for request, whole in enumerate(range(plan.share, record.requests, plan.processes)):
        answered = whole in record.answered
        first = request * plan.batch
        for number, event in enumerate(islice(stream, pacer.size(request)), first):
            yield Sent(event, _fate(record, number * plan.processes + plan.share) if answered else Fate.UNKNOWN)


def _fate(record: Record, event: int) -> Fate:
    return Fate.REJECTED if event in record.rejected else Fate.ACKED


def _timestamp(sent: Sent) -> int:
    return sent.event.timestamp

"""Windows: a run's events made again, in pieces of time small enough to compare in memory."""

from collections.abc import Iterator
from enum import Enum
from heapq import merge
from itertools import islice

import msgspec

from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.results import Record
from loadgen.sensors import Event, events

WINDOW_EVENTS = 100_000


class Fate(Enum):
    """What the run knew of an event at its end."""

    ACKED = "acked"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Sent(msgspec.Struct, frozen=True, gc=False):
    event: Event
    fate: Fate


class Window(msgspec.Struct, frozen=True):
    """All events of the run from ``start_ms`` up to, not including, ``stop_ms`` (Unix ms)."""

    start_ms: int
    stop_ms: int
    sent: list[Sent]


def windows(record: Record, size: int = WINDOW_EVENTS) -> Iterator[Window]:
    """The whole run in order; a window holds about ``size`` events and never splits a millisecond."""
    piece: list[Sent] = []
    for sent in _sent(record):
        if len(piece) >= size and sent.event.timestamp > piece[-1].event.timestamp:
            yield _window(piece)
            piece = []
        piece.append(sent)
    if piece:
        yield _window(piece)


def _window(piece: list[Sent]) -> Window:
    return Window(piece[0].event.timestamp, piece[-1].event.timestamp + 1, piece)


def _sent(record: Record) -> Iterator[Sent]:
    """In order of time; of several processes each has its own order, and numbers of its own in the record."""
    shares = [_sent_by(record, plan) for plan in record.plan.shares()]
    return shares[0] if len(shares) == 1 else merge(*shares, key=lambda sent: sent.event.timestamp)


def _sent_by(record: Record, plan: Plan) -> Iterator[Sent]:
    stream = events(plan)
    pacer = Pacer.of(plan)
    for request, whole in enumerate(range(plan.share, record.requests, plan.processes)):
        answered = whole in record.answered
        first = request * plan.batch
        for number, event in enumerate(islice(stream, pacer.size(request)), first):
            yield Sent(event, _fate(record, number * plan.processes + plan.share) if answered else Fate.UNKNOWN)


def _fate(record: Record, event: int) -> Fate:
    return Fate.REJECTED if event in record.rejected else Fate.ACKED

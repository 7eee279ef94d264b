"""Windows: a run's events made again, in pieces of time small enough to compare in memory."""

from collections.abc import Iterator
from enum import Enum
from itertools import islice

import msgspec

from loadgen.pacer import Pacer
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
    stream = events(record.plan)
    pacer = Pacer.of(record.plan)
    for request in range(record.requests):
        answered = request in record.answered
        first = request * record.plan.batch
        for number, event in enumerate(islice(stream, pacer.size(request)), first):
            yield Sent(event, _fate(record, number) if answered else Fate.UNKNOWN)


def _fate(record: Record, event: int) -> Fate:
    return Fate.REJECTED if event in record.rejected else Fate.ACKED

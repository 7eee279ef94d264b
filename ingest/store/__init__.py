"""What events are read from: one interface, two stores, the same tests for both."""

import math
from collections.abc import Iterable
from typing import Protocol, Self

import msgspec

from ingest.event import NS_PER_MS, Event, number, shortest, status_of, time_ns
from ingest.tag import Tag

# What one page of events may weigh in memory.
MAX_BYTES = 2**20


class Selection(msgspec.Struct, frozen=True):
    """Which events: ``start_ms`` <= timestamp < ``stop_ms``, and equal to every other part that is not None."""

    start_ms: int | None = None
    stop_ms: int | None = None
    country: str | None = None
    region: str | None = None
    sensor: str | None = None
    status: str | None = None

    def holds(self, event: "StoredEvent") -> bool:
        """Whether ``event`` is one of them."""
        if self.status not in (None, event.status):
            return False
        if self.start_ms is not None and event.timestamp_ms < self.start_ms:
            return False
        if self.stop_ms is not None and event.timestamp_ms >= self.stop_ms:
            return False
        segments = zip((self.country, self.region, self.sensor), event.tag.split("."), strict=True)
        return all(wanted in (None, segment) for wanted, segment in segments)


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the order of all events; newest first means descending by it."""

    time_ns: int
    tag: str


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as a store holds it; a numeric ``valor`` is in its shortest form."""

    time_ns: int
    tag: str
    valor: str

    @classmethod
    def of(cls, event: Event) -> Self:
        """``event`` as any store will show it."""
        return cls(time_ns(event.timestamp_ms, event.valor), event.tag, shown_valor(event.valor))

    @property
    def timestamp_ms(self) -> int:
        return self.time_ns // NS_PER_MS

    @property
    def status(self) -> str:
        return status_of(self.valor)

    @property
    def position(self) -> Position:
        return Position(self.time_ns, self.tag)


class Numbers(msgspec.Struct, frozen=True, gc=False):
    """The numeric events of the step of time from ``start_ms`` on; ``mean`` is None if their sum is too large."""

    start_ms: int
    numbers: int
    mean: float | None
    least: float
    most: float

    @classmethod
    def of(cls, start_ms: int, numbers: int | None, total: float | None, least: float, most: float) -> Self:
        """From what a store adds up; the rollup keeps no count where it keeps no sum."""
        mean = total / numbers if numbers and total is not None else None
        return cls(start_ms, numbers or 0, mean if mean is not None and math.isfinite(mean) else None, least, most)


class Found(msgspec.Struct, frozen=True):
    """Events in order; ``is_cut`` where others may follow that would have been too many or too long for one answer."""

    events: list[StoredEvent]
    is_cut: bool

    @classmethod
    def of(cls, events: Iterable[StoredEvent], limit: int, max_bytes: int) -> Self:
        """The first of ``events``: at most ``limit``, and as long as their texts come to no more; at least one."""
        taken: list[StoredEvent] = []
        size = 0
        for event in events:
            size += len(event.valor)
            if len(taken) == limit or (taken and size > max_bytes):
                return cls(taken, is_cut=True)
            taken.append(event)
        return cls(taken, is_cut=False)


class SeriesCount(msgspec.Struct, frozen=True, order=True):
    """How many events of one sensor a store holds."""

    tag: Tag
    events: int


class Store(Protocol):
    """Every method raises StoreUnavailable if the store cannot be read now."""

    async def events(self, selection: Selection, at: Position | None, limit: int, max_bytes: int = MAX_BYTES) -> Found:
        """The newest events of ``selection``, in descending order, from position ``at`` (included) on.

        At most ``limit``, and fewer where their texts come to ``max_bytes``; but at least one if there is one.
        """
        ...

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        """The events of ``selection`` by sensor, in no particular order."""
        ...

    async def numbers(self, selection: Selection, step_ms: int) -> list[Numbers]:
        """The numeric events of ``selection`` by step, in ascending order; steps without any are left out.

        Steps begin at multiples of ``step_ms``. Whole minutes are read as they are kept, whole hours too: the ends of
        the selection should be multiples of the step, or more than it is counted.
        """
        ...

    async def trouble(self) -> str | None:
        """Why the store cannot be read now, or None."""
        ...

    async def close(self) -> None: ...


def shown_valor(valor: str) -> str:
    """``valor`` as every store returns it."""
    value = number(valor)
    return valor if value is None else shortest(value)

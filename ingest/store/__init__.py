"""What events are read from: one interface, two stores, the same tests for both."""

from typing import Protocol

import msgspec

from ingest.event import NS_PER_MS, number, shortest, status_of
from ingest.rollup.levels import RollupPoint
from ingest.tag import Tag


class Selection(msgspec.Struct, frozen=True):
    """Which events: ``start_ms`` <= timestamp < ``stop_ms``, and equal to every other part that is not None."""

    start_ms: int | None = None
    stop_ms: int | None = None
    country: str | None = None
    region: str | None = None
    sensor: str | None = None
    status: str | None = None


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the order of all events; newest first means descending by it."""

    time_ns: int
    tag: str


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as a store holds it; a numeric ``valor`` is in its shortest form."""

    time_ns: int
    tag: str
    valor: str

    @property
    def timestamp_ms(self) -> int:
        return self.time_ns // NS_PER_MS

    @property
    def status(self) -> str:
        return status_of(self.valor)

    @property
    def position(self) -> Position:
        return Position(self.time_ns, self.tag)


class SeriesCount(msgspec.Struct, frozen=True, order=True):
    """How many events of one sensor a store holds."""

    tag: Tag
    events: int


class Store(Protocol):
    """Every method raises StoreUnavailable if the store cannot be read now."""

    async def events(self, selection: Selection, at: Position | None, limit: int) -> list[StoredEvent]:
        """The newest ``limit`` events of ``selection``, in descending order, from position ``at`` (included) on."""
        ...

    async def counts(self, selection: Selection) -> list[SeriesCount]:
        """The events of ``selection`` by sensor, in no particular order."""
        ...

    async def minutes(self, selection: Selection) -> list[RollupPoint]:
        """The rollup by minute and series of the minutes that begin within ``selection``, in no particular order."""
        ...

    async def trouble(self) -> str | None:
        """Why the store cannot be read now, or None."""
        ...

    async def close(self) -> None: ...


def shown_valor(valor: str) -> str:
    """``valor`` as every store returns it."""
    value = number(valor)
    return valor if value is None else shortest(value)

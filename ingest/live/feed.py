"""The feed of one watcher: first what is newest, then what arrives, in frames small enough to be drawn."""

import heapq
from collections.abc import Callable, Iterable

import msgspec

from ingest.errors import StoreUnavailable
from ingest.live.arrivals import Arrivals
from ingest.store import Store, StoredEvent
from ingest.store.paging import Cursor
from ingest.store.search import Search, search_page

SNAPSHOT_ROWS = 200
FRAME_ROWS = 300
_LOOK_AGAIN_SECONDS = 5.0


class Row(msgspec.Struct, frozen=True):
    """An event as a watcher sees it; ``cursor`` leads ``/get_data`` to the events after it."""

    timestamp: int
    tag: str
    valor: str
    status: str
    cursor: str


class Snapshot(msgspec.Struct, frozen=True):
    """The newest events, newest first: what a watcher begins with."""

    rows: list[Row]


class News(msgspec.Struct, frozen=True):
    """The newest of the ``arrived`` events since the last frame, newest first. Those without a row are stored too."""

    rows: list[Row]
    arrived: int


class Trouble(msgspec.Struct, frozen=True):
    """Why the store can't be read; what arrives is told all the same."""

    message: str


Frame = Snapshot | News | Trouble


class Feed:
    """Frames for one watcher of ``search``, who has seen what arrived before ``place``, or nothing yet.

    After a trouble the store is looked at again every few seconds, until a snapshot is whole.
    """

    def __init__(
        self, store: Store, arrivals: Arrivals, search: Search, place: int | None, clock_seconds: Callable[[], float]
    ) -> None:
        self.place = place
        self._store = store
        self._arrivals = arrivals
        self._search = search
        self._clock_seconds = clock_seconds
        self._look_again_at: float | None = None

    async def frames(self) -> list[Frame]:
        """What is new for the watcher now; often nothing."""
        is_due = self._look_again_at is not None and self._clock_seconds() >= self._look_again_at
        arrived = None if self.place is None or is_due else self._arrivals.since(self.place)
        if arrived is None:
            return await self._from_the_start()
        self.place = arrived.end
        found = self._found(arrived.events)
        return [News(_rows(found, FRAME_ROWS), len(found))] if found else []

    async def _from_the_start(self) -> list[Frame]:
        # What arrives while the store is read comes with the next frame; what it has not got yet is among the kept.
        kept = self._arrivals.kept()
        self.place = kept.end
        found = self._found(kept.events)
        try:
            stored = (await search_page(self._store, self._search, None, SNAPSHOT_ROWS)).events
        except StoreUnavailable as error:
            self._look_again_at = self._clock_seconds() + _LOOK_AGAIN_SECONDS
            return [Snapshot(_rows(set(found), SNAPSHOT_ROWS)), Trouble(str(error))]
        self._look_again_at = None
        return [Snapshot(_rows({*stored, *found}, SNAPSHOT_ROWS))]

    def _found(self, events: Iterable[StoredEvent]) -> list[StoredEvent]:
        return [event for event in events if self._search.finds(event)]


def _rows(events: Iterable[StoredEvent], most: int) -> list[Row]:
    return [_row(event) for event in heapq.nlargest(most, events, key=_place_in_time)]


def _place_in_time(event: StoredEvent) -> tuple[int, str, str]:
    return event.time_ns, event.tag, event.valor


def _row(event: StoredEvent) -> Row:
    return Row(event.timestamp_ms, event.tag, event.valor, event.status, str(Cursor(event.position, 1)))

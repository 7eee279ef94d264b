"""The feed of one watcher: first what is newest, then what arrives, in frames small enough to be drawn."""

import heapq
from collections.abc import Callable, Iterable
from itertools import accumulate

import msgspec

from ingest.errors import StoreUnavailable
from ingest.live.arrivals import Arrivals
from ingest.store import Store, StoredEvent
from ingest.store.paging import Cursor, Page, following
from ingest.store.search import Search, search_page

SNAPSHOT_ROWS = 200
FRAME_ROWS = 300
FRAME_CHARACTERS = 500_000
_LOOK_AGAIN_SECONDS = 5.0


class Row(msgspec.Struct, frozen=True):
    """An event as a watcher sees it; ``cursor`` leads ``/get_data`` to the events after it."""

    timestamp: int
    tag: str
    valor: str
    status: str
    cursor: str


class Snapshot(msgspec.Struct, frozen=True):
    """The newest events, newest first: what a watcher begins with.

    Older ones go on at ``cursor``, and there are none if that is null; but where the store can't be read a snapshot is
    not ``whole``: it holds what has just arrived, and nobody knows what lies beside it.
    """

    rows: list[Row]
    whole: bool
    cursor: str | None


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

    After a trouble the store is looked at again every few seconds, until there is a whole snapshot.
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

    @property
    def owes_a_snapshot(self) -> bool:
        """Whether the watcher has not got a whole one yet."""
        return self._look_again_at is not None

    async def frames(self) -> list[Frame]:
        """What is new for the watcher now; often nothing."""
        if self._look_again_at is not None and self._clock_seconds() >= self._look_again_at:
            looked = await self._look()
            if isinstance(looked, Snapshot):
                return [looked]
        arrived = None if self.place is None else self._arrivals.since(self.place)
        if arrived is None:
            return await self._from_the_start()
        self.place = arrived.end
        found = self._found(arrived.events)
        return [News(_rows(_newest(found, FRAME_ROWS)), len(found))] if found else []

    async def _from_the_start(self) -> list[Frame]:
        looked = await self._look()
        if isinstance(looked, Snapshot):
            return [looked]
        kept = self._arrivals.kept()
        self.place = kept.end
        rows = _rows(_newest(self._found(kept.events), SNAPSHOT_ROWS))
        return [Snapshot(rows, whole=False, cursor=None), looked]

    async def _look(self) -> Snapshot | Trouble:
        # What arrives while the store is read comes with the next frame; what it has not got yet is among the kept.
        kept = self._arrivals.kept()
        try:
            page = await search_page(self._store, self._search, None, SNAPSHOT_ROWS)
        except StoreUnavailable as error:
            self._look_again_at = self._clock_seconds() + _LOOK_AGAIN_SECONDS
            return Trouble(str(error))
        self._look_again_at = None
        self.place = kept.end
        return _snapshot(page, self._found(kept.events))

    def _found(self, events: Iterable[StoredEvent]) -> set[StoredEvent]:
        return {event for event in events if self._search.finds(event)}


def _snapshot(page: Page, kept: Iterable[StoredEvent]) -> Snapshot:
    # Below the place where the search stands lies what was not looked at: of that, a row would hide the others.
    above = {event for event in kept if page.next is None or event.position > page.next.position}
    events = {*page.events, *above}
    newest = _newest(events, SNAPSHOT_ROWS)
    cursor = page.next if len(newest) == len(events) else following(newest, None)
    return Snapshot(_rows(newest), whole=True, cursor=str(cursor) if cursor else None)


def _newest(events: Iterable[StoredEvent], most: int) -> list[StoredEvent]:
    """At most so many, and not more than a frame may weigh, but at least one of them."""
    newest = heapq.nlargest(most, events, key=_place_in_time)
    weights = accumulate(len(event.valor) for event in newest)
    return newest[: max(1, sum(1 for weight in weights if weight <= FRAME_CHARACTERS))]


def _rows(events: Iterable[StoredEvent]) -> list[Row]:
    return [
        Row(event.timestamp_ms, event.tag, event.valor, event.status, str(Cursor(event.position, 1)))
        for event in events
    ]


def _place_in_time(event: StoredEvent) -> tuple[int, str, str]:
    return event.time_ns, event.tag, event.valor

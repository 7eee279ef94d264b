"""Events whose tag or ``valor`` holds a text. No store has an index for that: pages are looked through."""

from collections.abc import AsyncIterator

import msgspec

from ingest.store import MAX_BYTES, Selection, Store, StoredEvent
from ingest.store.paging import Cursor, Page, following, read_page

# As much as may lie in memory at a time where every valor is as long as it may be.
_PAGE_EVENTS = 2_000
# What one request looks through: about a second of InfluxDB's time.
MOST_LOOKED_AT = 50_000


class Search(msgspec.Struct, frozen=True):
    """The events of ``selection`` that hold ``text``, which is case-folded; every event holds ""."""

    selection: Selection
    text: str = ""

    @classmethod
    def of(cls, selection: Selection, text: str) -> "Search":
        return cls(selection, text.casefold())

    def finds(self, event: StoredEvent) -> bool:
        """Whether ``event`` is one of them."""
        return self.selection.holds(event) and self.reads(event)

    def reads(self, event: StoredEvent) -> bool:
        """Whether ``event``, of the selection, holds the text."""
        return self.text in event.valor.casefold() or self.text in event.tag.casefold()


async def search_page(
    store: Store, search: Search, cursor: Cursor | None, limit: int, most_looked_at: int = MOST_LOOKED_AT
) -> Page:
    """Up to ``limit`` found events, newest first; fewer, or none, where ``most_looked_at`` events hold no more.

    Fewer too where their texts come to more than a page may weigh.

    The search goes on from ``next``, which is None only when everything was looked at.
    """
    found: list[StoredEvent] = []
    looked_at = size = 0
    while True:
        page = await read_page(store, search.selection, cursor, min(_PAGE_EVENTS, most_looked_at - looked_at))
        for number, event in enumerate(page.events, 1):
            if search.reads(event):
                found.append(event)
                size += len(event.valor)
            if len(found) == limit or size > MAX_BYTES:
                return Page(found, following(page.events[:number], cursor))
        looked_at += len(page.events)
        cursor = page.next
        if cursor is None or looked_at >= most_looked_at:
            return Page(found, cursor)


async def search_pages(store: Store, search: Search, cursor: Cursor | None, limit: int) -> AsyncIterator[Page]:
    """Pages until ``limit`` events are found or everything was looked at."""
    while True:
        page = await search_page(store, search, cursor, limit)
        yield page
        limit -= len(page.events)
        cursor = page.next
        if cursor is None or limit <= 0:
            return

"""Pages of events, newest first, with no gap and no repeat while new ones arrive."""

import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from ingest.errors import BadParameter
from ingest.store import MAX_BYTES, Position, Selection, Store, StoredEvent

# More events than that never share a series and a nanosecond.
_CURSOR = re.compile(r"(?P<time_ns>[0-9]{1,19})~(?P<skip>[0-9]{1,4})~(?P<tag>.*)", re.ASCII | re.DOTALL)


class Cursor(msgspec.Struct, frozen=True):
    """Where the next page begins: at ``position``, of whose events the first ``skip`` were shown already."""

    position: Position
    skip: int

    def __str__(self) -> str:
        return f"{self.position.time_ns}~{self.skip}~{self.position.tag}"


def parse_cursor(text: str) -> Cursor:
    """The inverse of ``str``. Raises BadParameter."""
    match = _CURSOR.fullmatch(text)
    if match is None or int(match["time_ns"]) >= 2**63:
        raise BadParameter("cursor is not one that this service gave")
    return Cursor(Position(int(match["time_ns"]), match["tag"]), int(match["skip"]))


class Page(msgspec.Struct, frozen=True):
    """Events in order, and the cursor of what follows; None at the end."""

    events: list[StoredEvent]
    next: Cursor | None


async def read_page(store: Store, selection: Selection, cursor: Cursor | None, limit: int) -> Page:
    """Up to ``limit`` events from ``cursor`` on; fewer where their texts come to more than a page may weigh."""
    position, skip = (cursor.position, cursor.skip) if cursor else (None, 0)
    max_bytes = MAX_BYTES
    while True:
        found = await store.events(selection, position, skip + limit, max_bytes)
        shown = found.events[skip:]
        if shown or not found.is_cut:
            break
        # All there was room for was shown already.
        max_bytes *= 2
    return Page(shown, following(shown, cursor) if found.is_cut else None)


async def read_pages(
    store: Store, selection: Selection, cursor: Cursor | None, limit: int, page_size: int
) -> AsyncIterator[Page]:
    """Pages until ``limit`` events are shown or none is left."""
    while True:
        page = await read_page(store, selection, cursor, min(limit, page_size))
        yield page
        limit -= len(page.events)
        cursor = page.next
        if cursor is None or limit <= 0:
            return


def following(shown: Sequence[StoredEvent], before: Cursor | None) -> Cursor:
    """Where the events after ``shown`` begin, which were read from ``before`` on."""
    last = shown[-1].position
    skip = sum(event.position == last for event in shown)
    if before is not None and before.position == last:
        skip += before.skip
    return Cursor(last, skip)

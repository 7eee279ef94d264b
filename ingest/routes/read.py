"""The routes that show events: ``/get_data`` and ``/counts``."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from itertools import groupby

import msgspec
from aiohttp import web

from ingest.errors import StoreUnavailable, TooManyReads
from ingest.routes import parameters
from ingest.routes.answers import JSON, in_pieces
from ingest.routes.rows import Rows, rows_for
from ingest.routes.turns import Turns, cut
from ingest.store import SeriesCount, Store
from ingest.store.paging import Cursor, Page, parse_cursor, read_page, read_pages
from ingest.store.search import Search, search_page, search_pages

DEFAULT_LIMIT = 500
_PIECE_BYTES = 256 * 2**10
# An answer of one page names the next one in its head.
PAGE_EVENTS = 10_000
_GET_DATA = (*parameters.SEARCH, "limit", "cursor")


class SensorCount(msgspec.Struct, frozen=True):
    """One line of the counts: ``path`` is ``country.region.sensor``."""

    path: str
    events: int


class RegionCount(msgspec.Struct, frozen=True):
    """A region and its sensors, sorted by path; ``path`` is ``country.region``."""

    path: str
    events: int
    sensors: list[SensorCount]

    def lines(self) -> Iterator[str]:
        yield f"{self.path} - {self.events}\n"
        yield from (f"{sensor.path} - {sensor.events}\n" for sensor in self.sensors)


class Counts(msgspec.Struct, frozen=True):
    """What ``/counts`` answers."""

    events: int
    regions: list[RegionCount]

    def text(self) -> str:
        """As lines: ``brasil.sudeste - 1000``, below it its sensors."""
        return "".join(line for region in self.regions for line in region.lines())


class ReadRoutes:
    """Reads from ``store``, a few at a time."""

    def __init__(self, store: Store, turns: Turns | None = None) -> None:
        self._store = store
        self._turns = turns or Turns()

    def routes(self) -> list[web.RouteDef]:
        # What is streamed would be sent to a HEAD as well, and pass for the answer to the next request.
        return [web.get("/get_data", self.get_data, allow_head=False), web.get("/counts", self.get_counts)]

    async def get_data(self, request: web.Request) -> web.StreamResponse:
        """Events, newest first, streamed."""
        parameters.only(request.query, _GET_DATA)
        search = parameters.search(request.query)
        limit = parameters.positive(request.query, "limit", DEFAULT_LIMIT)
        cursor = parse_cursor(request.query["cursor"]) if "cursor" in request.query else None
        rows = rows_for(request.headers.get("Accept", ""))
        answer = web.StreamResponse(headers=rows.headers)
        try:
            async with aclosing(self._texts(request, self._pages(search, cursor, limit), rows)) as texts:
                async for text, cursor in texts:
                    if not answer.prepared:
                        await self._begin(request, answer, cursor if limit <= PAGE_EVENTS else None)
                    with self._turns.writing(request):
                        # In pieces: what waits to be sent is a copy.
                        for start in range(0, len(text), _PIECE_BYTES):
                            await answer.write(text[start : start + _PIECE_BYTES])
            await answer.write_eof(rows.end(cursor))
        except (StoreUnavailable, TooManyReads):
            if not answer.prepared:
                raise
            cut(request)
        return answer

    async def _texts(
        self, request: web.Request, pages: AsyncIterator[Page], rows: Rows
    ) -> AsyncGenerator[tuple[bytes, Cursor | None], None]:
        """Each page's text, and where the next one begins. Nothing but the text is held while a client takes it."""
        while True:
            async with self._turns.reading(request):
                page = await anext(pages, None)
                if page is None:
                    return
                text, following = rows.page(page.events), page.next
                del page
            yield text, following

    async def _pages(self, search: Search, cursor: Cursor | None, limit: int) -> AsyncIterator[Page]:
        """An answer of one page looks for a text in so many events and no more; a longer one, in all of them.

        One page it is where the answer names the next in its head, even if long texts make it a short one.
        """
        if not search.text and limit <= PAGE_EVENTS:
            yield await read_page(self._store, search.selection, cursor, limit)
        elif not search.text:
            async for page in read_pages(self._store, search.selection, cursor, limit, PAGE_EVENTS):
                yield page
        elif limit <= PAGE_EVENTS:
            yield await search_page(self._store, search, cursor, limit)
        else:
            async for page in search_pages(self._store, search, cursor, limit):
                yield page

    async def _begin(self, request: web.Request, answer: web.StreamResponse, following: Cursor | None) -> None:
        if following is not None:
            answer.headers["Link"] = _link(request, following)
        await answer.prepare(request)

    async def get_counts(self, request: web.Request) -> web.StreamResponse:
        """Counts by region and sensor, as JSON or as text."""
        parameters.only(request.query, parameters.SELECTION)
        selection = parameters.selection(request.query)
        is_text = "text/plain" in request.headers.get("Accept", "")
        async with self._turns.reading(request):
            found = await self._store.counts(selection)
            # Of 100 000 sensors this takes a second.
            body = await asyncio.to_thread(_counts_body, found, is_text)
        content_type = "text/plain; charset=utf-8" if is_text else JSON
        with self._turns.writing(request):
            return await in_pieces(request, body, {"Content-Type": content_type})


def _counts_body(found: Sequence[SeriesCount], is_text: bool) -> bytes:
    counts = hierarchy(found)
    return counts.text().encode() if is_text else msgspec.json.encode(counts) + b"\n"


def hierarchy(series: Sequence[SeriesCount]) -> Counts:
    """Counts by sensor, summed up by region, sorted by path."""
    regions = []
    for path, members in groupby(sorted(series), lambda count: f"{count.tag.country}.{count.tag.region}"):
        sensors = [SensorCount(str(count.tag), count.events) for count in members]
        regions.append(RegionCount(path, sum(sensor.events for sensor in sensors), sensors))
    return Counts(sum(region.events for region in regions), regions)


def _link(request: web.Request, cursor: Cursor) -> str:
    return f'<{request.rel_url.update_query(cursor=str(cursor))}>; rel="next"'

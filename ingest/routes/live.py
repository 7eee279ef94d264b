"""The route that the page follows: ``/events/stream``, as server-sent events."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web

from ingest.errors import TooManyReads, TooManyWatchers
from ingest.live.arrivals import Arrivals
from ingest.live.feed import Feed, Frame, News, Snapshot, Trouble
from ingest.routes import parameters
from ingest.routes.turns import Turns
from ingest.store import Store

MOST_WATCHERS = 50
FRAME_SECONDS = 0.25
# Proxies and browsers give up a connection that is quiet for long.
KEEP_ALIVE_SECONDS = 10.0
_RETRY_MS = 1_000
# Whoever takes nothing for so long holds a place that others may want.
STUCK_SECONDS = 30.0

_NAMES: Final[dict[type[Frame], str]] = {Snapshot: "snapshot", News: "events", Trouble: "trouble"}
_HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class LiveRoutes:
    """Tells watchers what is in ``store`` and what has come to ``arrivals``, until ``close``."""

    def __init__(
        self,
        store: Store,
        arrivals: Arrivals,
        turns: Turns,
        *,
        most_watchers: int = MOST_WATCHERS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._turns = turns
        self._store = store
        self._arrivals = arrivals
        self._most_watchers = most_watchers
        self._stuck_seconds = stuck_seconds
        self._watchers = 0
        self._closing = asyncio.Event()
        # A place of an earlier process says nothing here.
        self._process = secrets.token_hex(4)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/events/stream", self.get_stream, allow_head=False)]

    async def close(self, _: web.Application) -> None:
        """End every stream: a browser comes back by itself."""
        self._closing.set()

    async def get_stream(self, request: web.Request) -> web.StreamResponse:
        """What is newest, then what arrives, as long as somebody listens. Goes on from a ``Last-Event-ID``."""
        parameters.only(request.query, parameters.SEARCH)
        search = parameters.search(request.query)
        if self._watchers >= self._most_watchers:
            raise TooManyWatchers(self._most_watchers)
        feed = Feed(self._store, self._arrivals, search, self._place(request), time.monotonic)
        answer = web.StreamResponse(headers=_HEADERS)
        self._watchers += 1
        try:
            await answer.prepare(request)
            await answer.write(b"retry: %d\n\n" % _RETRY_MS)
            await self._follow(feed, request, answer)
        finally:
            self._watchers -= 1
        return answer

    async def _follow(self, feed: Feed, request: web.Request, answer: web.StreamResponse) -> None:
        told = time.monotonic()
        # A connection that was lost takes its transport with it.
        while request.transport is not None and not self._closing.is_set():
            frames = await self._frames(feed, request)
            if frames or time.monotonic() - told >= KEEP_ALIVE_SECONDS:
                text = self._text(frames, feed) or b": nothing new\n\n"
                if not await self._is_taken(answer, text):
                    request.transport.abort()
                    return
                told = time.monotonic()
            await self._pause()

    async def _frames(self, feed: Feed, request: web.Request) -> Sequence[Frame]:
        """A look at the store is a read like any other; what has arrived since costs it nothing."""
        if not feed.owes_a_snapshot:
            return await feed.frames()
        try:
            async with self._turns.reading(request):
                return await feed.frames()
        except TooManyReads as error:
            return [Trouble(str(error))]

    async def _is_taken(self, answer: web.StreamResponse, text: bytes) -> bool:
        try:
            async with asyncio.timeout(self._stuck_seconds):
                await answer.write(text)
        except TimeoutError:
            return False
        return True

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                await self._closing.wait()
        except TimeoutError:
            return

    def _text(self, frames: Sequence[Frame], feed: Feed) -> bytes:
        # Whoever comes back with a place from before the first whole snapshot has to begin anew.
        event_id = f"{self._process}-{'?' if feed.owes_a_snapshot else feed.place}"
        return b"".join(
            f"event: {_NAMES[type(frame)]}\nid: {event_id}\ndata: ".encode() + msgspec.json.encode(frame) + b"\n\n"
            for frame in frames
        )

    def _place(self, request: web.Request) -> int | None:
        """Where the watcher was when the connection was lost; None if it has not been here yet."""
        process, _, place = request.headers.get("Last-Event-ID", "").partition("-")
        known = process == self._process and place.isascii() and place.isdigit() and len(place) < 20
        return int(place) if known else None

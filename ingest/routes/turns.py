"""How many answers with many events are under way: each holds a page of them for as long as its client lets it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from ingest.errors import TooManyReads

MOST_READS = 8
MOST_WRITES = 16
WAIT_SECONDS = 10.0


class Turns:
    """Lets ``most_reads`` read at a time, and ``most_writes`` wait for their clients to take what was read."""

    def __init__(
        self, most_reads: int = MOST_READS, most_writes: int = MOST_WRITES, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._most_reads = most_reads
        self._most_writes = most_writes
        self._wait_seconds = wait_seconds
        self._reading = asyncio.Semaphore(most_reads)
        self._writing: dict[object, web.BaseRequest] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """While a page is read and put into text. Raises TooManyReads after a while."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._reading.acquire()
        except TimeoutError:
            raise TooManyReads(self._most_reads) from None
        try:
            yield
        finally:
            self._reading.release()

    @contextmanager
    def writing(self, request: web.BaseRequest) -> Iterator[None]:
        """While a page goes out. The one that has waited longest is cut when there is one too many.

        To refuse the newest would let a few who read nothing keep everybody else from reading.
        """
        turn = object()
        self._writing[turn] = request
        if len(self._writing) > self._most_writes:
            cut(self._writing.pop(next(iter(self._writing))))
        try:
            yield
        finally:
            self._writing.pop(turn, None)


def cut(request: web.BaseRequest) -> None:
    """End the connection: where the status is out already, only that tells the client that rows are missing."""
    if request.transport is not None:
        request.transport.abort()

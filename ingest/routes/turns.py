"""How many answers with many events are under way: each holds a page of them for as long as its client lets it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from ingest.access.client import ANONYMOUS
from ingest.access.guard import CLIENT
from ingest.errors import TooManyReads

MOST_READS = 8
MOST_WAITING = 64
MOST_WRITES = 16
WAIT_SECONDS = 10.0


class Turns:
    """Lets ``most_reads`` read at a time, and ``most_writes`` wait for their clients to take what was read.

    No client has more than half of the reads, and whoever has fewest comes first: one that asks for everything at once
    waits for itself.
    """

    def __init__(
        self,
        most_reads: int = MOST_READS,
        most_writes: int = MOST_WRITES,
        wait_seconds: float = WAIT_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._most_reads = most_reads
        self._most_of_one = max(1, most_reads // 2)
        self._most_writes = most_writes
        self._most_waiting = most_waiting
        self._wait_seconds = wait_seconds
        self._reading: Counter[str] = Counter()
        self._reading_at: Counter[tuple[str, str]] = Counter()
        self._waiting: dict[asyncio.Future[None], tuple[str, str]] = {}
        self._writing: dict[object, tuple[str, web.BaseRequest]] = {}

    @asynccontextmanager
    async def reading(self, request: web.Request) -> AsyncIterator[None]:
        """While a page is read and put into text. Raises TooManyReads: after a while, or if too many wait already."""
        reader = _name(request), request.path
        await self._turn(reader)
        try:
            yield
        finally:
            self._end(reader)

    async def _turn(self, reader: tuple[str, str]) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = reader
        self._give()
        if len(self._waiting) > self._most_waiting:
            self._refuse_one()
        is_taken = False
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turn
            is_taken = True
        except TimeoutError:
            raise TooManyReads(self._most_reads) from None
        finally:
            if not is_taken:
                self._withdraw(turn, reader)

    def _withdraw(self, turn: "asyncio.Future[None]", reader: tuple[str, str]) -> None:
        waited = self._waiting.pop(turn, None) is not None
        if not waited and turn.done() and not turn.cancelled() and not turn.exception():
            # It was given at the very moment at which nobody wanted it any more.
            self._end(reader)

    def _give(self) -> None:
        while self._waiting and self._reading.total() < self._most_reads:
            turn = min(self._waiting, key=self._standing)
            reader = self._waiting[turn]
            if self._reading[reader[0]] >= self._most_of_one:
                return
            del self._waiting[turn]
            self._reading[reader[0]] += 1
            self._reading_at[reader] += 1
            turn.set_result(None)

    def _standing(self, turn: "asyncio.Future[None]") -> tuple[int, int]:
        """Of one client's reads, those of another route than the others come first."""
        reader = self._waiting[turn]
        return self._reading[reader[0]], self._reading_at[reader]

    def _refuse_one(self) -> None:
        """The newest of the client that has most of them."""
        greediest, _ = Counter(client for client, _ in self._waiting.values()).most_common(1)[0]
        turn = next(turn for turn in reversed(self._waiting) if self._waiting[turn][0] == greediest)
        del self._waiting[turn]
        turn.set_exception(TooManyReads(self._most_reads))

    def _end(self, reader: tuple[str, str]) -> None:
        self._reading[reader[0]] -= 1
        self._reading_at[reader] -= 1
        # Only those above nothing are kept.
        self._reading, self._reading_at = +self._reading, +self._reading_at
        self._give()

    @contextmanager
    def writing(self, request: web.Request) -> Iterator[None]:
        """While a page goes out. Of the client with most of them, the oldest is cut when there is one too many.

        To refuse the newest would let a few who read nothing keep everybody else from reading.
        """
        turn = object()
        self._writing[turn] = _name(request), request
        if len(self._writing) > self._most_writes:
            greediest, _ = Counter(client for client, _ in self._writing.values()).most_common(1)[0]
            oldest = next(turn for turn, (client, _) in self._writing.items() if client == greediest)
            cut(self._writing.pop(oldest)[1])
        try:
            yield
        finally:
            self._writing.pop(turn, None)


def _name(request: web.Request) -> str:
    """Whose turn it is: a token's, or else an address's."""
    client = request.get(CLIENT, ANONYMOUS)
    return f"address {request.remote}" if client is ANONYMOUS else f"token {client.name}"


def cut(request: web.BaseRequest) -> None:
    """End the connection: where the status is out already, only that tells the client that rows are missing."""
    if request.transport is not None:
        request.transport.abort()

"""The express lane of a connection: whole writes with a head that was let in before, past aiohttp's requests."""

import asyncio
from typing import Any, Protocol

from ingest.capacity import Capacity
from ingest.server.heads import Known


class Counter(Protocol):
    """The connection that an express lane serves."""

    def answer(self, whole: bytes, /) -> None:
        """Send a whole HTTP answer."""
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...

    def rest(self) -> None:
        """A request has been answered."""
        ...


class Express:
    """One request at a time; whoever comes meanwhile awaits its ``end``."""

    __slots__ = ("_capacity", "_counter", "_loop", "_turn", "_work", "is_at_work")

    def __init__(self, loop: asyncio.AbstractEventLoop, capacity: Capacity, counter: Counter) -> None:
        self._loop = loop
        self._capacity = capacity
        self._counter = counter
        self._turn: asyncio.Future[None] | None = None
        self._work: Any = None
        self.is_at_work = False

    @property
    def is_awaited(self) -> bool:
        """Whether another request stands behind the one at work."""
        return self._turn is not None

    def take(self, known: Known, body: bytes) -> bool:
        """Begin a request; False if it has to go aiohttp's way."""
        if not self._capacity.enter():
            self._counter.answer(known.refusal)
            return True
        work = known.way.begin(body)
        if work is None:
            self._capacity.leave()
            return False
        self._work, self.is_at_work = work, True
        self._go_on()
        return True

    async def end(self) -> None:
        """Return once nothing is at work any more."""
        if self.is_at_work:
            self._turn = self._loop.create_future()
            await self._turn

    def _go_on(self, _: object = None) -> None:
        """What a task would do, without one: that costs more than all else that is done here for a small request."""
        try:
            awaited = self._work.send(None)
        except StopIteration as end:
            self._counter.answer(end.value)
            self._leave()
        except BaseException:
            self._counter.abort()
            self._leave()
            raise
        else:
            awaited._asyncio_future_blocking = False  # noqa: SLF001 - as every task says that it has heard
            awaited.add_done_callback(self._go_on)

    def _leave(self) -> None:
        self._work, self.is_at_work = None, False
        self._capacity.leave()
        self._counter.rest()
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(None)

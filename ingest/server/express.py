"""The express lane of a connection: whole writes with a head that was let in before, past aiohttp's requests."""

import asyncio
from typing import Protocol

from ingest.capacity import Capacity
from ingest.server.gate import Gate
from ingest.server.gathering import Gathering
from ingest.server.heads import Found, Known


class Counter(Protocol):
    """The connection that an express lane serves."""

    def is_idle(self) -> bool:
        """Whether it waits for a request, and for nothing else."""
        ...

    def answer(self, whole: bytes, /) -> None:
        """Send a whole HTTP answer."""
        ...

    def pass_on(self, data: bytes, /) -> None:
        """This goes aiohttp's way."""
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...

    def rest(self) -> None:
        """A request has been answered."""
        ...


class Express:
    """One request at a time; whoever comes meanwhile awaits its ``end``."""

    __slots__ = ("_capacity", "_counter", "_gate", "_gathering", "_loop", "_turn", "is_at_work")

    def __init__(self, loop: asyncio.AbstractEventLoop, gate: Gate, capacity: Capacity, counter: Counter) -> None:
        self._loop = loop
        self._gate = gate
        self._capacity = capacity
        self._counter = counter
        self._turn: asyncio.Future[None] | None = None
        self._gathering: Gathering | None = None
        self.is_at_work = False

    @property
    def is_busy(self) -> bool:
        """Whether a request is here, or is coming in."""
        return self.is_at_work or self._gathering is not None

    @property
    def is_awaited(self) -> bool:
        """Whether another request stands behind the one at work."""
        return self._turn is not None

    def takes(self, data: bytes) -> bool:
        """Whether ``data`` goes this way; if not, it is for aiohttp."""
        if self._gathering is not None:
            self._gather(self._gathering, data)
            return True
        found = self._gate.recall(data)
        if found is None or not self._counter.is_idle():
            return False
        if found.end == len(data):
            return self._begin(found.known, data[found.start :])
        return found.end > len(data) and self._await_more(found, data)

    def give_up(self) -> None:
        """What is coming in goes on with aiohttp."""
        gathering = self._gathering
        if gathering is not None:
            self.forget()
            self._pass_on(gathering)

    def forget(self) -> None:
        """What is coming in is not awaited any more."""
        if self._gathering is not None:
            self._gathering.close()
            self._gathering = None

    def _await_more(self, found: Found, data: bytes) -> bool:
        share = self._capacity.body()
        if found.end - found.start > found.known.way.most_bytes or not share.has_room:
            return False
        self._gathering = Gathering(self._loop, found, data, share, self.give_up)
        return True

    def _gather(self, gathering: Gathering, data: bytes) -> None:
        has_room, missing = gathering.add(data), gathering.missing_bytes
        if missing > 0 and has_room:
            return
        self.forget()
        if missing or not self._begin(gathering.found.known, gathering.body()):
            self._pass_on(gathering)

    def _pass_on(self, gathering: Gathering) -> None:
        # Piece by piece, as they came: where a parser finds something wrong it forgets what is whole in the same piece.
        for piece in gathering.pieces:
            self._counter.pass_on(piece)

    def _begin(self, known: Known, body: bytes) -> bool:
        """Begin a request; False if it has to go aiohttp's way."""
        if not self._capacity.enter():
            self._counter.answer(known.refusal)
            return True
        # It may be answered before this returns.
        self.is_at_work = True
        if known.way.begin(body, self._done):
            return True
        self.is_at_work = False
        self._capacity.leave()
        return False

    async def end(self) -> None:
        """Return once nothing is at work any more."""
        if self.is_at_work:
            self._turn = self._loop.create_future()
            await self._turn

    def _done(self, answer: bytes | None) -> None:
        if answer is None:
            self._counter.abort()
        else:
            self._counter.answer(answer)
        self._leave()

    def _leave(self) -> None:
        self.is_at_work = False
        self._capacity.leave()
        self._counter.rest()
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(None)

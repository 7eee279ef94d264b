"""The schedule: hands each request out when it falls due, to whoever is free to send it.

Requests that nobody is free for are not kept: what waits is a number, the index of the next request.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice

import msgspec

from loadgen.encode import FORMATS, encoder
from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.sensors import Event
from loadgen.tally import Tally
from loadgen.target import Target

# Longest at a stretch, for what waits meanwhile: answers, signals, the second to be closed.
GIVING_UP_NS = 10_000_000


class Request(msgspec.Struct, frozen=True, gc=False):
    """A request to send now. ``due_ns`` is on the clock of time.monotonic_ns()."""

    index: int
    size: int
    due_ns: int
    payload: bytes


class Drawn(msgspec.Struct, frozen=True, gc=False):
    """A whole HTTP request, made before it is due."""

    size: int
    payload: bytes


class Schedule:
    """Starts at ``start_ns``, or with its making. A request not handed out within the plan's time-out is given up.

    ``events`` are the plan's; ``token`` goes with every request, if there is one.
    """

    def __init__(
        self, plan: Plan, events: Iterator[Event], tally: Tally, start_ns: int | None = None, token: str = ""
    ) -> None:
        self.next_request = 0
        self._closed_loop = plan.closed_loop
        self._tally = tally
        self._pacer = Pacer.of(plan)
        self._patience_ns = int(plan.timeout_seconds * NS_PER_SECOND)
        self._events = events
        self._encode = encoder(plan.format, gzip=plan.gzip)
        self._head = Target.parse(plan.url).head(FORMATS[plan.format], gzip=plan.gzip, token=token)
        self._idle: list[asyncio.Future[Request | None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._drawn: Drawn | None = None
        self._prepare()
        # Last, for the first request may take a while to make.
        self.start_ns = time.monotonic_ns() if start_ns is None else start_ns

    async def take(self) -> Request | None:
        """Wait for the next request; None when there is no more."""
        request = self._next_due()
        if request is not None or self._ended:
            return request
        idle: asyncio.Future[Request | None] = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        self._set_timer()
        return await idle

    def close(self) -> None:
        """Hand out nothing more."""
        self._closed = True
        self._dismiss()

    @property
    def _ended(self) -> bool:
        return self._closed or not self._pacer.size(self.next_request)

    def _next_due(self) -> Request | None:
        """None if there is none yet; also after a while of giving up: then ask again soon."""
        rest_ns = time.monotonic_ns() + GIVING_UP_NS
        while not self._ended:
            now_ns = time.monotonic_ns()
            due_ns = now_ns if self._closed_loop else self._due_ns()
            if due_ns > now_ns:
                return None
            if now_ns - due_ns <= self._patience_ns:
                return self._hand_out(due_ns)
            if now_ns > rest_ns:
                return None
            self._give_up()
        return None

    def _due_ns(self) -> int:
        return self.start_ns + self._pacer.request_ns(self.next_request)

    def _hand_out(self, due_ns: int) -> Request:
        drawn = self._drawn or self._draw()
        self._drawn = None
        index = self.next_request
        self.next_request += 1
        # Without a rate a request is due when it is ready, however long its making took.
        return Request(index, drawn.size, time.monotonic_ns() if self._closed_loop else due_ns, drawn.payload)

    def _give_up(self) -> None:
        size = self._pacer.size(self.next_request)
        if self._drawn is None:
            # Drawn all the same: what the sensors say next depends on it.
            deque(islice(self._events, size), maxlen=0)
        self._drawn = None
        self.next_request += 1
        self._tally.give_up(size)

    def _draw(self) -> Drawn:
        """The next request. Drawn in order, for the sensors' walks depend on it."""
        drawn = list(islice(self._events, self._pacer.size(self.next_request)))
        body = self._encode(drawn)
        return Drawn(len(drawn), b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    def _prepare(self) -> None:
        """Make the next request while there is time, so that it is ready when it falls due."""
        if self._drawn is None and not self._ended:
            self._drawn = self._draw()

    def _set_timer(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            # Whole ms, the loop's own grain: less would make it spin.
            wait_ms = math.ceil((self._due_ns() - time.monotonic_ns()) / 1_000_000)
            self._timer = loop.call_later(max(wait_ms, 1) / 1000, self._wake)
            # Soon, not now: whoever was just handed a request sends it first.
            loop.call_soon(self._prepare)

    def _wake(self) -> None:
        self._timer = None
        # Whoever was cancelled waits no more, and must not be handed a request.
        self._idle = [idle for idle in self._idle if not idle.done()]
        # The connection used last goes first: spare ones stay cold instead of being kept half alive.
        while self._idle and (request := self._next_due()) is not None:
            self._idle.pop().set_result(request)
        if self._ended:
            self._dismiss()
        elif self._idle:
            self._set_timer()

    def _dismiss(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)

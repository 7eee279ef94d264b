"""Which writes are let in while there is more to do than can be done in time: the others are refused at once."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.errors import Overloaded
from ingest.metrics import Shed

_TICK_SECONDS = 0.05
_GROWTH_A_TICK = 1.05
# Below these nothing is refused, however late the loop is: a machine that was suspended for a moment is not overloaded,
# and of thousands that ask in one round of the loop no more than this would be let in, for a tenth of a second's work.
_LEAST_REQUESTS = 1_000
_LEAST_BYTES = 2**20
# Bodies up to this size count as requests alone.
SMALL_BODY_BYTES = 4096
# What is at work is soon done; a body that comes slowly is not, and keeps its room only until others need it.
_UNDISTURBED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be at work at the same time, and how late the loop may be before that is cut back."""

    most_requests: int
    most_bytes: int
    max_lag_seconds: float


class _Share:
    """What is at work, up to a limit that gives way while the loop is late and grows again after that."""

    def __init__(self, least: int, most: int) -> None:
        self._least = min(least, most)
        self._most = most
        self._peak = 0
        self.limit = most
        self.used = 0

    def take(self, amount: int) -> None:
        self.used += amount
        self._peak = max(self._peak, self.used)

    def adapt(self, lateness: float) -> None:
        """``lateness`` is the loop's lag as a multiple of what it may be.

        How long each waits goes with how many there are, so what was too late by half was too many by half.
        """
        if lateness > 1:
            self.limit = max(self._least, min(self.limit, int(self._peak / lateness)))
        else:
            self.limit = min(self._most, int(self.limit * _GROWTH_A_TICK) + 1)
        self._peak = self.used


class Capacity:
    """Counts the requests and the bytes of bodies at work; ``run`` has to run beside."""

    def __init__(self, bounds: Bounds, shed: Shed) -> None:
        self._requests = _Share(_LEAST_REQUESTS, bounds.most_requests)
        self._bytes = _Share(_LEAST_BYTES, bounds.most_bytes)
        self._max_lag_seconds = bounds.max_lag_seconds
        self._arriving: dict[BodyShare, None] = {}
        self.shed = shed

    async def run(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch how late the loop is."""
        while True:
            due = clock() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            self.adapt(clock() - due)

    def adapt(self, lag_seconds: float) -> None:
        """The loop was so late just now."""
        lateness = lag_seconds / self._max_lag_seconds
        self._requests.adapt(lateness)
        self._bytes.adapt(lateness)

    def enter(self) -> bool:
        """Whether one more request is let in; it has to ``leave`` then."""
        if self._requests.used >= self._requests.limit:
            self.shed.requests.inc()
            return False
        self._requests.take(1)
        return True

    def leave(self) -> None:
        self._requests.used -= 1

    @contextmanager
    def place(self) -> Iterator[None]:
        """One more request is at work. Raises Overloaded."""
        if not self.enter():
            raise Overloaded
        try:
            yield
        finally:
            self.leave()

    def body(self) -> "BodyShare":
        """The share of one request's body, still empty."""
        return BodyShare(self._bytes, self._arriving, self.shed)

    def gauges(self) -> dict[str, float]:
        return {
            "requests_at_work": self._requests.used,
            "requests_at_work_limit": self._requests.limit,
            "body_bytes_at_work": self._bytes.used,
            "body_bytes_at_work_limit": self._bytes.limit,
        }


class BodyShare:
    """What one body takes of the bytes at work, until the ``with`` block ends.

    However large it is, it may grow as long as the others are below the limit: a large body is never starved.
    """

    def __init__(self, share: _Share, arriving: "dict[BodyShare, None]", shed: Shed) -> None:
        self._share = share
        self._arriving = arriving
        self._shed = shed
        self._own = 0
        self._since = 0.0
        self._clock: Callable[[], float] = time.monotonic
        self._end: Callable[[], None] = lambda: None

    def __enter__(self) -> "BodyShare":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """It takes nothing any more."""
        self._share.used -= self._own
        self._own = 0

    @property
    def has_room(self) -> bool:
        """Whether it may grow, though none of those on their way gives way to it."""
        return self._share.used - self._own < self._share.limit

    @contextmanager
    def arriving(self, end: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
        """While the body comes in. If that takes long and others need its room, ``end`` is called."""
        self._end, self._since, self._clock = end, clock(), clock
        self._arriving[self] = None
        try:
            yield
        finally:
            self._arriving.pop(self, None)

    def look(self, size: int) -> None:
        """Whether there is room for a body that may become so long; it takes none yet. Raises Overloaded."""
        if size > SMALL_BODY_BYTES:
            self._make_room()

    def grow_to(self, size: int) -> None:
        """So much of the body is there. Raises Overloaded."""
        if size <= SMALL_BODY_BYTES or size <= self._own:
            return
        self._make_room()
        self._share.take(size - self._own)
        self._own = size

    def give_way(self) -> bool:
        """Whether it has been on its way for so long that it is ended for others; it takes no room then."""
        if self._clock() - self._since < _UNDISTURBED_SECONDS:
            return False
        self._arriving.pop(self, None)
        self.close()
        self._shed.slow.inc()
        self._end()
        return True

    def _make_room(self) -> None:
        while self._share.used - self._own >= self._share.limit:
            slowest = next(iter(self._arriving), self)
            if slowest is self or not slowest.give_way():
                self._shed.bytes.inc()
                raise Overloaded

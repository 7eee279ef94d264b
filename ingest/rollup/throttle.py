"""How much to count at a time, and how long to rest after it: InfluxDB has events to take, too."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# While events come, counting has a fifth of the time. What it has not used it may use up later, so that a round which
# needs no more than a second is soon over, but never at once.
_SHARE_OF_TIME = 0.2
# With more points on their way than InfluxDB is being sent at a time it is behind: counts may be late, too.
_BEHIND_POINTS = 20_000
_SHARE_WHILE_BEHIND = 0.05
_MOST_SAVED_SECONDS = 1.0
_LEAST_REST_OF_A_PAGE = 1.0
# What a series of a minute takes it, until that is known.
_FIRST_SECONDS = 0.0005
_SHARE_OF_QUICKER = 0.5
_SHARE_OF_SLOWER = 0.1
_STILL_COMING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Aims:
    """How long a page should take: while events are coming, for acks wait that long, and when nobody waits."""

    busy_seconds: float = 0.02
    quiet_seconds: float = 0.5


class Throttle:
    """``points`` says how many are on their way to InfluxDB now; where none ever are, nothing rests."""

    def __init__(
        self,
        points: Callable[[], int] = lambda: 0,
        aims: Aims | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._points = points
        self._aims = aims or Aims()
        self._sleep = sleep
        self._clock = clock
        self._came_at = -_STILL_COMING_SECONDS
        self._settled_at = clock()
        self._saved_seconds = _MOST_SAVED_SECONDS
        self._seconds_of_one: dict[str, float] = {}

    def most(self, work: str, pieces: int = 1) -> int:
        """How many of ``work``, of so many ``pieces`` each, make a page; 1 at least."""
        aim_seconds = self._aims.busy_seconds if self._coming() else self._aims.quiet_seconds
        return max(1, int(aim_seconds / (self._seconds_of_one.get(work, _FIRST_SECONDS) * pieces)))

    async def rest(self, took_seconds: float) -> None:
        """After what took so long; not at all while no events come."""
        now = self._clock()
        share = _SHARE_WHILE_BEHIND if self._points() >= _BEHIND_POINTS else _SHARE_OF_TIME
        earned_seconds = share * (now - self._settled_at)
        self._saved_seconds = min(self._saved_seconds + earned_seconds, _MOST_SAVED_SECONDS) - took_seconds
        self._settled_at = now
        if self._coming():
            await self._sleep(max(_LEAST_REST_OF_A_PAGE * took_seconds, -self._saved_seconds / share))
        else:
            self._saved_seconds = max(self._saved_seconds, 0.0)

    def learn(self, work: str, pieces: int, took_seconds: float) -> None:
        """That a page of so many ``pieces`` in all took so long."""
        before = self._seconds_of_one.get(work, _FIRST_SECONDS)
        now = took_seconds / pieces
        # What makes a page slow is mostly others' work, for which smaller ones would only be more of them.
        share = _SHARE_OF_QUICKER if now < before else _SHARE_OF_SLOWER
        self._seconds_of_one[work] = before + share * (now - before)

    def _coming(self) -> bool:
        # Between two batches none is on its way for a moment.
        if self._points():
            self._came_at = self._clock()
        return self._clock() - self._came_at < _STILL_COMING_SECONDS

"""Keeps the rollup true: counts again, every few seconds, what points have touched since."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from ingest.errors import DiskFailed, QueryRefused, StoreUnavailable, WriteUnanswered
from ingest.fail_points import Point, Reached, never
from ingest.minutes import few
from ingest.rollup.marks import Marks
from ingest.rollup.recount import Recount
from ingest.spool.dirty_minutes import DirtyMinute

_MARKS_AT_ONCE = 10_000
# What is counted at once; a sensor's minute costs 1. With the newest minutes it is done soon, and they come first.
_COST_AT_ONCE = 200
_COST_OF_ALL = 100
# Of the past up to an hour of all: each hour it touches is added up again, whether by one minute of it or by sixty.
_MOST_COST_OF_PAST = 60 * _COST_OF_ALL
# With so many points on their way to InfluxDB it has better things to do than the past.
_BUSY_POINTS = 5_000


@dataclass(frozen=True, slots=True)
class Pace:
    """From the start of a round to that of the next one, how long to count the past before the newest minutes have
    their turn again, and for how long a write that was not answered may still be carried out. Nothing of the past
    should take longer at once than those have to wait for their turn."""

    interval_seconds: float
    past_seconds: float = 2.0
    unsure_seconds: float = 60.0

    def rest_seconds(self, took_seconds: float, *, are_coming: bool, goes_on: bool) -> float:
        """After a round. While events are coming it has rested after each page, and otherwise not at all."""
        if goes_on:
            return 0.0 if are_coming else took_seconds
        return max(0.0, self.interval_seconds - took_seconds)


class Keeper:
    """Runs until cancelled. ``trouble`` says why counts are behind, None if nothing keeps them from being right."""

    def __init__(self, marks: Marks, recount: Recount, pace: Pace, reached: Reached = never) -> None:
        self._marks = marks
        self._recount = recount
        self._pace = pace
        self._reached = reached
        self._log = structlog.get_logger("rollup")
        self._caught_up_at = time.monotonic()
        # A write of the process before this one may be on its way as well; it has left its minutes marked.
        self._unsure_until = time.monotonic() + pace.unsure_seconds if marks.depth.dirty_minutes else 0.0
        self._to_count_again: set[DirtyMinute] = set()
        self._cost_of_past = _COST_AT_ONCE
        self.trouble: str | None = None

    @property
    def lag_seconds(self) -> float:
        """The counts hold everything that was stored until so long ago, or before the start; 0 if they hold all."""
        return time.monotonic() - self._caught_up_at if self._marks.depth.dirty_minutes else 0.0

    @property
    def waiting_minutes(self) -> int:
        """How many minutes wait to be counted, as far as that is known."""
        return self._marks.depth.dirty_minutes

    async def run(self) -> None:
        """Count for ever."""
        while True:
            rest_seconds = await self._try_once()
            await asyncio.sleep(rest_seconds)

    async def once(self) -> bool:
        """Count what waits, the newest first and for a limited time, and say whether more waits.

        Raises StoreUnavailable or DiskFailed.
        """
        started = time.monotonic()
        if started >= self._unsure_until:
            self._to_count_again.clear()
        newest = await self._marks.dirty(_MARKS_AT_ONCE)
        new = [one for one in newest if one not in self._to_count_again]
        dirty = new or newest
        counted, past_started = 0, started
        while counted < len(dirty):
            batch = first_minutes(dirty[counted:], self._cost_of_past if counted else _COST_AT_ONCE)
            took_seconds = await self._count(batch)
            if counted:
                self._learn(took_seconds)
            else:
                past_started = time.monotonic()
            counted += len(batch)
            if self._busy() or time.monotonic() - past_started >= self._pace.past_seconds:
                break
        if len(newest) < _MARKS_AT_ONCE and (not new or counted == len(new)):
            self._caught_up_at = started
            return False
        return bool(new)

    async def _count(self, batch: Sequence[DirtyMinute]) -> float:
        """How many seconds it took."""
        started = time.monotonic()
        try:
            await self._run(batch)
            self._reached(Point.RECOUNTED)
        except WriteUnanswered:
            self._unsure_until = time.monotonic() + self._pace.unsure_seconds
            raise
        # Until then InfluxDB may put an older count in the place of this one: it stays marked, and others come first.
        if started < self._unsure_until:
            self._to_count_again.update(batch)
        else:
            await self._marks.clean(batch)
        return time.monotonic() - started

    async def _run(self, batch: Sequence[DirtyMinute]) -> None:
        """Of what InfluxDB refuses to be asked only the mark that it refuses is left out."""
        try:
            await self._recount.run([one.mark for one in batch])
        except QueryRefused as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._run(batch[:middle])
                await self._run(batch[middle:])
                return
            await self._recount.check()
            self._log.error("minute_not_counted", reason=str(error), mark=str(batch[0].mark))

    def _learn(self, took_seconds: float) -> None:
        """How much of the past can be counted at once depends on how much lies in it."""
        if took_seconds > self._pace.past_seconds:
            self._cost_of_past = max(self._cost_of_past // 2, _COST_AT_ONCE)
        elif took_seconds < self._pace.past_seconds / 2:
            self._cost_of_past = min(self._cost_of_past * 2, _MOST_COST_OF_PAST)

    def _busy(self) -> bool:
        return self._marks.depth.points >= _BUSY_POINTS

    async def _try_once(self) -> float:
        """How many seconds to rest after it."""
        started = time.monotonic()
        try:
            more_waits = await self.once()
        except (StoreUnavailable, DiskFailed) as error:
            if self.trouble is None:
                self._log.warning("rollup_trouble", reason=str(error))
            self.trouble = f"counts are behind: {error}"
            asked_seconds = error.wait_seconds if isinstance(error, StoreUnavailable) else 0.0
            return max(self._pace.interval_seconds, asked_seconds)
        if self.trouble is not None:
            self._log.info("rollup_well", dirty_minutes=self._marks.depth.dirty_minutes)
        self.trouble = None
        are_coming = self._marks.depth.points > 0
        goes_on = more_waits and not self._busy()
        return self._pace.rest_seconds(time.monotonic() - started, are_coming=are_coming, goes_on=goes_on)


def first_minutes(dirty: Sequence[DirtyMinute], most_cost: int) -> Sequence[DirtyMinute]:
    """The first minutes of ``dirty``, whole, as many as cost no more but at least one."""
    cost = taken = 0
    for _, group in groupby(dirty, lambda one: one.mark.start_ms):
        tags = [one.mark.tag for one in group]
        cost += _COST_OF_ALL if "" in few(set(tags)) else len(tags)
        if cost > most_cost and taken:
            break
        taken += len(tags)
    return dirty[:taken]

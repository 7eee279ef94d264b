"""Keeps the rollup true: counts again, every few seconds, what points have touched since."""

import asyncio
import time
from collections.abc import Sequence
from itertools import groupby

import structlog

from ingest.dirty_minutes import DirtyMinute
from ingest.errors import DiskFailed, StoreUnavailable
from ingest.minutes import few
from ingest.rollup.recount import Recount
from ingest.spool import Spool

_MARKS_AT_ONCE = 10_000
# What is counted before the newest minutes have their turn again; a sensor's minute costs 1.
_BUDGET = 1_000
_COST_OF_ALL = 100
# With so many points on their way to InfluxDB it has better things to do: then only the newest minutes are counted.
_BUSY_POINTS = 5_000
_BUDGET_WHEN_BUSY = 200


class Keeper:
    """Runs until cancelled. ``trouble`` says why counts are behind, None if nothing keeps them from being right."""

    def __init__(self, spool: Spool, recount: Recount, interval_seconds: float) -> None:
        self._spool = spool
        self._recount = recount
        self._interval_seconds = interval_seconds
        self._log = structlog.get_logger("rollup")
        self._caught_up_at = time.monotonic()
        self.trouble: str | None = None

    @property
    def lag_seconds(self) -> float:
        """The counts hold everything that was stored until so long ago; 0 if they hold all."""
        return time.monotonic() - self._caught_up_at if self._spool.depth.dirty_minutes else 0.0

    async def run(self) -> None:
        """Count for ever."""
        while True:
            started = time.monotonic()
            more_waits = await self._try_once()
            took_seconds = time.monotonic() - started
            await asyncio.sleep(took_seconds if more_waits and not self._busy() else self._interval_seconds)

    async def once(self) -> bool:
        """Count what waits, the newest first and up to a limit, and say whether more waits.

        Raises StoreUnavailable or DiskFailed.
        """
        started = time.monotonic()
        dirty = await self._spool.dirty(_MARKS_AT_ONCE)
        batch = affordable(dirty, _BUDGET_WHEN_BUSY if self._busy() else _BUDGET)
        if batch:
            await self._recount.run([one.mark for one in batch])
            await self._spool.clean(batch)
        more_waits = len(batch) < len(dirty) or len(dirty) == _MARKS_AT_ONCE
        if not more_waits:
            self._caught_up_at = started
        return more_waits

    def _busy(self) -> bool:
        return self._spool.depth.points >= _BUSY_POINTS

    async def _try_once(self) -> bool:
        try:
            more_waits = await self.once()
        except (StoreUnavailable, DiskFailed) as error:
            if self.trouble is None:
                self._log.warning("rollup_trouble", reason=str(error))
            self.trouble = f"counts are behind: {error}"
            return False
        if self.trouble is not None:
            self._log.info("rollup_well", dirty_minutes=self._spool.depth.dirty_minutes)
        self.trouble = None
        return more_waits


def affordable(dirty: Sequence[DirtyMinute], budget: int) -> Sequence[DirtyMinute]:
    """The first minutes of ``dirty``, whole, as many as the budget allows but at least one."""
    cost = taken = 0
    for _, group in groupby(dirty, lambda one: one.mark.start_ms):
        tags = [one.mark.tag for one in group]
        cost += _COST_OF_ALL if "" in few(set(tags)) else len(tags)
        if cost > budget and taken:
            break
        taken += len(tags)
    return dirty[:taken]

"""Where events go and where they are read from, and how that is."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.metrics import Metrics
from ingest.rollup.keeper import Keeper
from ingest.salvage.salvage import Salvage
from ingest.series.registry import Registry
from ingest.shipper import Shipper
from ingest.sink import Sink
from ingest.spool.rows import Depth
from ingest.spool.spool import Spool
from ingest.store import Store

# Whoever asks for readiness wants to know now.
_READY_SECONDS = 2.0
# Shipping takes tenths of a second, counting up to ten.
_LATE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Intake:
    """Where events go, and which series there are. Spool, shipper and salvage only in front of InfluxDB."""

    sink: Sink
    series: Registry
    spool: Spool | None = None
    shipper: Shipper | None = None
    salvage: Salvage | None = None

    async def reasons(self) -> list[str]:
        """Everything that keeps events from being kept now."""
        troubles = (self.shipper.trouble if self.shipper else None, await _in_time(self.sink.trouble(), "the disk"))
        return [trouble for trouble in troubles if trouble]

    def warnings(self) -> list[str]:
        """New sensors that are refused, what is kept but not shipped for too long, and what the disk has damaged."""
        late = []
        if self._spooled_seconds > _LATE_SECONDS:
            late.append(f"{self.depth.points} events wait for InfluxDB, the oldest for {self._spooled_seconds:.0f} s")
        if self.spool and self.spool.dead_letters_full:
            late.append("dead letters are full, and only events are taken: see `ingest dead-letters list`")
        return [*self.series.warnings(), *late, *(self.salvage.warnings() if self.salvage else ())]

    def gauges(self) -> dict[str, float]:
        depth = self.depth
        return self.series.gauges() | {
            "spool_points": depth.points,
            "spool_bytes": depth.bytes,
            "spool_oldest_age_seconds": self._spooled_seconds,
            "dead_letters": depth.dead_letters,
            "dead_letter_bytes": depth.dead_letter_bytes,
            "spool_damaged_rows": self.salvage.damaged_rows if self.salvage else 0,
            "spool_files_set_aside": len(self.salvage.notes) if self.salvage else 0,
            "rollup_dirty_minutes": depth.dirty_minutes,
        }

    @property
    def depth(self) -> Depth:
        """What waits in the spool."""
        return self.spool.depth if self.spool else Depth()

    @property
    def _spooled_seconds(self) -> float:
        oldest_ms = self.depth.oldest_ms
        return max(0.0, time.time() - oldest_ms / 1000) if oldest_ms is not None else 0.0


@dataclass(frozen=True, slots=True)
class Leftover:
    """The spool of worker ``number``, which is no more: it is shipped, and takes nothing."""

    number: int
    intake: Intake
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Backend:
    """Where events go and where they are read from. A rollup, and what is ``left``, only in front of InfluxDB."""

    intake: Intake
    store: Store
    rollup: Keeper | None = None
    left: Sequence[Leftover] = ()
    store_warnings: Callable[[], Sequence[str]] = tuple

    async def reasons(self) -> list[str]:
        """Everything that keeps events from being kept or read now."""
        kept, store = await asyncio.gather(self.intake.reasons(), _in_time(self.store.trouble(), "the store"))
        counted = self.rollup.trouble if self.rollup else None
        return [*kept, *(trouble for trouble in (counted, store) if trouble)]

    def warnings(self) -> list[str]:
        """Those of the intake, and counts that are late."""
        late = []
        if self._lag_seconds > _LATE_SECONDS:
            minutes = self.rollup.waiting_minutes if self.rollup else 0
            late.append(f"counts are {self._lag_seconds:.0f} s behind, {minutes} minutes wait, the oldest last")
        return [*self.intake.warnings(), *self.store_warnings(), *late]

    def gauges(self) -> dict[str, float]:
        return self.intake.gauges() | {"rollup_lag_seconds": self._lag_seconds}

    @property
    def _lag_seconds(self) -> float:
        return self.rollup.lag_seconds if self.rollup else 0.0


async def _in_time(check: Coroutine[Any, Any, str | None], name: str) -> str | None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            return await check
    except TimeoutError:
        return f"{name} does not answer within {_READY_SECONDS:g} s"

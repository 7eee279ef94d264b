"""Where events go and where they are read from, and how that is."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

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
class Backend:
    """Where events go and where they are read from, and which series there are.

    Spool, shipper and rollup only in front of InfluxDB.
    """

    sink: Sink
    store: Store
    series: Registry
    spool: Spool | None = None
    shipper: Shipper | None = None
    rollup: Keeper | None = None
    salvage: Salvage | None = None
    store_warnings: Callable[[], Sequence[str]] = tuple

    async def reasons(self) -> list[str]:
        """Everything that keeps events from being kept or read now."""
        checks = [_in_time(self.sink.trouble(), "the disk"), _in_time(self.store.trouble(), "the store")]
        beside_requests = [part.trouble for part in (self.shipper, self.rollup) if part]
        return [trouble for trouble in (*beside_requests, *await asyncio.gather(*checks)) if trouble]

    def warnings(self) -> list[str]:
        """New sensors that are refused, what is kept but not seen yet for too long, and what the disk has damaged."""
        points, minutes = self._depth.points, self._depth.dirty_minutes
        shipping_seconds, counting_seconds = self._spooled_seconds, self._lag_seconds
        said = (
            (shipping_seconds, f"{points} events wait for InfluxDB, the oldest for {shipping_seconds:.0f} s"),
            (counting_seconds, f"counts are {counting_seconds:.0f} s behind, {minutes} minutes wait, the oldest last"),
        )
        late = [what for seconds, what in said if seconds > _LATE_SECONDS]
        if self.spool and self.spool.dead_letters_full:
            late.append("dead letters are full, and only events are taken: see `ingest dead-letters list`")
        return [
            *self.series.warnings(),
            *self.store_warnings(),
            *late,
            *(self.salvage.warnings() if self.salvage else ()),
        ]

    def gauges(self) -> dict[str, float]:
        depth = self._depth
        return self.series.gauges() | {
            "spool_points": depth.points,
            "spool_bytes": depth.bytes,
            "spool_oldest_age_seconds": self._spooled_seconds,
            "dead_letters": depth.dead_letters,
            "dead_letter_bytes": depth.dead_letter_bytes,
            "spool_damaged_rows": self.salvage.damaged_rows if self.salvage else 0,
            "spool_files_set_aside": len(self.salvage.notes) if self.salvage else 0,
            "rollup_dirty_minutes": depth.dirty_minutes,
            "rollup_lag_seconds": self._lag_seconds,
        }

    @property
    def _depth(self) -> Depth:
        return self.spool.depth if self.spool else Depth()

    @property
    def _spooled_seconds(self) -> float:
        oldest_ms = self._depth.oldest_ms
        return max(0.0, time.time() - oldest_ms / 1000) if oldest_ms is not None else 0.0

    @property
    def _lag_seconds(self) -> float:
        return self.rollup.lag_seconds if self.rollup else 0.0


async def _in_time(check: Coroutine[Any, Any, str | None], name: str) -> str | None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            return await check
    except TimeoutError:
        return f"{name} does not answer within {_READY_SECONDS:g} s"

"""What InfluxDB knew before the registry began: the sensors of an earlier version, or of a spool that was lost."""

import asyncio

import structlog

from ingest.errors import DiskFailed, StoreUnavailable
from ingest.influxql import InfluxQL
from ingest.reject import Reject
from ingest.seldom import Seldom
from ingest.series.names import name_of_key
from ingest.series.registry import Registry, id_of
from ingest.spool.backlog import Backlog

_RETRY_SECONDS = 5.0


class Learner:
    """Asks ``events`` for its series, once in the life of a spool's file; until it has, new ones come at any rate."""

    def __init__(self, backlog: Backlog, events: InfluxQL, registry: Registry, keys_at_once: int = 2_000) -> None:
        self._backlog = backlog
        self._events = events
        self._registry = registry
        self._keys_at_once = keys_at_once
        self._tell = Seldom(structlog.get_logger("series").info)

    async def run(self) -> None:
        """Return when all is learned, at once where it has been; while InfluxDB is away, try for ever."""
        while not self._backlog.has_learned:
            try:
                await self._learn()
            except (StoreUnavailable, DiskFailed) as error:
                self._tell("series_not_learned_yet", reason=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _learn(self) -> None:
        async for found in self._events.chunks("SHOW SERIES", self._keys_at_once):
            names = (name_of_key(key.encode()) for series in found for (key,) in series.values)
            ids = list({id_of(name) for name in names if not isinstance(name, Reject)})
            await self._backlog.learn(ids, all_of_them=False)
            self._registry.learned(ids)
        await self._backlog.learn((), all_of_them=True)
        self._registry.learned((), all_of_them=True)

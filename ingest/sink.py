"""Where accepted events become durable before the 2xx."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ingest.events import Events
from ingest.line_protocol import LineEncoder
from ingest.minutes import marks_of
from ingest.series.registry import Registry
from ingest.spool.changes import Blob
from ingest.spool.spool import Spool

# Above this many events encoding goes to a thread, so that the loop answers others meanwhile.
_FEW_EVENTS = 2_000

Items = TypeVar("Items", Events, Sequence[bytes])


class Sink(Protocol):
    """What is durable first: the spool in front of InfluxDB, or the embedded store itself."""

    keeps_other_measurements: bool

    async def append(self, events: Events, lines: Sequence[bytes]) -> None:
        """Return once all of it is on disk. Raises SpoolFull, DiskFailed or Closed: then none of it is kept."""
        ...

    async def trouble(self) -> str | None:
        """Why nothing can be made durable now, or None."""
        ...


class SpoolSink:
    """Encodes events and appends them to the spool, in blobs within ``blob_points`` and ``blob_bytes``.

    A single line of more bytes is a blob of its own. What is new of ``series`` gets on disk with its first points.
    """

    keeps_other_measurements = True

    def __init__(self, spool: Spool, blob_points: int, blob_bytes: int, series: Registry) -> None:
        self._spool = spool
        self._series = series
        self._encoder = LineEncoder()
        self._blob_points = blob_points
        self._blob_bytes = blob_bytes

    async def append(self, events: Events, lines: Sequence[bytes]) -> None:
        if len(events) + len(lines) > _FEW_EVENTS:
            blobs, series = await asyncio.to_thread(self._encoded, events, lines)
        else:
            blobs, series = self._encoded(events, lines)
        if not series:
            await self._spool.append(blobs)
            return
        with self._series.saving(series):
            await self._spool.append(blobs, series)

    async def trouble(self) -> str | None:
        return await self._spool.trouble()

    def _encoded(self, events: Events, lines: Sequence[bytes]) -> tuple[list[Blob], Sequence[int]]:
        return self._blobs(events, lines), self._series.unsaved(events, lines)

    def _blobs(self, events: Events, lines: Sequence[bytes]) -> list[Blob]:
        blobs = [
            Blob(encoded, len(part), are_events=True, marks=marks_of(part.timestamps_ms, part.tags))
            for encoded, part in self._split(events, self._encoder.encode)
        ]
        if lines:
            blobs += [Blob(encoded, len(part)) for encoded, part in self._split(lines, b"".join)]
        return blobs

    def _split(self, items: Items, encode: Callable[[Items], bytes]) -> list[tuple[bytes, Items]]:
        if not items:
            return []
        if len(items) <= self._blob_points:
            encoded = encode(items)
            if len(encoded) <= self._blob_bytes or len(items) == 1:
                return [(encoded, items)]
        middle = len(items) // 2
        return self._split(items[:middle], encode) + self._split(items[middle:], encode)


class RegisteredSink:
    """``inner``, which keeps its sensors itself; ``series`` learns of those that are on disk."""

    def __init__(self, inner: Sink, series: Registry) -> None:
        self.keeps_other_measurements = inner.keeps_other_measurements
        self.trouble = inner.trouble
        self._inner = inner
        self._series = series

    async def append(self, events: Events, lines: Sequence[bytes]) -> None:
        with self._series.saving(self._series.unsaved(events, lines)):
            await self._inner.append(events, lines)

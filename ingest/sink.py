"""Where accepted events become durable before the 2xx."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ingest.event import Event
from ingest.line_protocol import LineEncoder
from ingest.spool import Blob, Spool

# Above this many events encoding goes to a thread, so that the loop answers others meanwhile.
_FEW_EVENTS = 2_000

Item = TypeVar("Item")


class Sink(Protocol):
    """What is durable first: the spool in front of InfluxDB, or the embedded store itself."""

    keeps_other_measurements: bool

    async def append(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        """Return once all of it is on disk. Raises SpoolFull, DiskFailed or Closed: then none of it is kept."""
        ...

    async def trouble(self) -> str | None:
        """Why nothing can be made durable now, or None."""
        ...


class SpoolSink:
    """Encodes events and appends them to the spool, in blobs within ``blob_points`` and ``blob_bytes``.

    A single line of more bytes is a blob of its own.
    """

    keeps_other_measurements = True

    def __init__(self, spool: Spool, blob_points: int, blob_bytes: int) -> None:
        self._spool = spool
        self._encoder = LineEncoder()
        self._blob_points = blob_points
        self._blob_bytes = blob_bytes

    async def append(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        if len(events) + len(lines) > _FEW_EVENTS:
            blobs = await asyncio.to_thread(self._blobs, events, lines)
        else:
            blobs = self._blobs(events, lines)
        await self._spool.append(blobs)

    async def trouble(self) -> str | None:
        return await self._spool.trouble()

    def _blobs(self, events: Sequence[Event], lines: Sequence[bytes]) -> list[Blob]:
        return [
            *(Blob(encoded, points, are_events=True) for encoded, points in self._split(events, self._encoder.encode)),
            *(Blob(encoded, points) for encoded, points in self._split(lines, b"".join)),
        ]

    def _split(self, items: Sequence[Item], encode: Callable[[Sequence[Item]], bytes]) -> list[tuple[bytes, int]]:
        if not items:
            return []
        if len(items) <= self._blob_points:
            encoded = encode(items)
            if len(encoded) <= self._blob_bytes or len(items) == 1:
                return [(encoded, len(items))]
        middle = len(items) // 2
        return self._split(items[:middle], encode) + self._split(items[middle:], encode)

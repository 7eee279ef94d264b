"""A sink that shows what it made durable to those who watch."""

from collections.abc import Sequence
from typing import Protocol

from ingest.events import Events
from ingest.sink import Sink


class Watch(Protocol):
    """Learns of events, as Arrivals do."""

    def add(self, events: Events, /) -> None: ...


class WatchedSink:
    """``inner``, after which ``arrivals`` learn of the events."""

    def __init__(self, inner: Sink, arrivals: Watch) -> None:
        self.keeps_other_measurements = inner.keeps_other_measurements
        self.trouble = inner.trouble
        self._inner = inner
        self._arrivals = arrivals

    async def append(self, events: Events, lines: Sequence[bytes]) -> None:
        await self._inner.append(events, lines)
        if events:
            self._arrivals.add(events)

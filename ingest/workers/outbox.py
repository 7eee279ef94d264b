"""What a worker has made durable, on its way to those who watch: the main process shows it."""

import asyncio

from prometheus_client import Counter

from ingest.events import Events
from ingest.workers.channel import Channel
from ingest.workers.messages import Arrived, ToWorker

# One message for all of so short a while: a single event costs no more than its part of it.
_COLLECT_SECONDS = 0.02
# The main process is behind by so much: it shows newer ones, and the store has them all.
_MOST_UNSENT_BYTES = 8 * 2**20


class Outbox:
    """Takes events and never waits; ``dropped`` counts those that nobody will be shown live."""

    def __init__(self, channel: Channel[ToWorker], dropped: Counter) -> None:
        self._channel = channel
        self._dropped = dropped
        self._timestamps_ms: list[int] = []
        self._tags: list[str] = []
        self._valores: list[str] = []

    def add(self, events: Events) -> None:
        """These are durable now."""
        if self._channel.unsent_bytes > _MOST_UNSENT_BYTES:
            self._dropped.inc(len(events))
            return
        if not self._tags:
            asyncio.get_running_loop().call_later(_COLLECT_SECONDS, self._send)
        self._timestamps_ms += events.timestamps_ms
        self._tags += events.tags
        self._valores += events.valores

    def _send(self) -> None:
        self._channel.send(Arrived(self._timestamps_ms, self._tags, self._valores))
        self._timestamps_ms, self._tags, self._valores = [], [], []

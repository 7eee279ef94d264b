"""From a request's body to the ack: decoded, made durable, counted; whatever way the body came."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import structlog

from ingest.archive.archive import Archive
from ingest.decode import Decoded, Decoder, RefusedMessage
from ingest.fail_points import Point, Reached, never
from ingest.metrics import Metrics
from ingest.seldom import Seldom
from ingest.sink import Sink
from ingest.token_bucket import TokenBucket

# Above these sizes decoding goes to a thread, so that the loop answers others meanwhile.
_QUICK_BODY_BYTES = 200_000
_THOROUGH_BODY_BYTES = 10_000
# They need the interpreter all the time: more at once would be no faster, and every other request slower.
_MOST_LARGE_BODIES = 2


class Reception:
    """Takes bodies; ``large`` is held by whatever else keeps a thread busy with one."""

    def __init__(
        self,
        sink: Sink,
        metrics: Metrics,
        messages_a_minute: int,
        *,
        archive: Archive | None,
        reached: Reached = never,
    ) -> None:
        self._sink = sink
        self._archive = archive
        self._reached = reached
        self._metrics = metrics
        self._kept_messages = TokenBucket(messages_a_minute / 60, messages_a_minute)
        self.large = asyncio.Semaphore(_MOST_LARGE_BODIES)
        self._tell_of_refused = Seldom(structlog.get_logger("write").warning)

    def decoded_at_once(self, decoder: Decoder, body: bytes) -> Decoded | None:
        """What ``body`` holds; None if to find out would hold up the loop. Raises IngestError."""
        size = len(body)
        if size > _QUICK_BODY_BYTES:
            return None
        decoded = decoder.quick(body)
        return decoder.thorough(body) if decoded is None and size <= _THOROUGH_BODY_BYTES else decoded

    async def decoded(self, decoder: Decoder, body: bytes) -> Decoded:
        """What ``body`` holds, found out in a thread if that takes long. Raises IngestError."""
        decoded = self.decoded_at_once(decoder, body)
        if decoded is not None:
            return decoded
        is_untried = len(body) > _QUICK_BODY_BYTES
        async with self.large:
            return await asyncio.to_thread(lambda: (is_untried and decoder.quick(body)) or decoder.thorough(body))

    async def keep(self, decoded: Decoded, started: float, requests: int = 1) -> None:
        """Return once what was accepted of so many requests is on disk and all is counted.

        They ``started`` by ``perf_counter``. Raises IngestError: then nothing is kept.
        """
        self._count(decoded)
        lines = [*decoded.lines, *self._told(decoded.refused_messages)] if decoded.refused_messages else decoded.lines
        if decoded.events or lines:
            await self._make_durable(decoded, lines)
            self._reached(Point.BEFORE_ACK)
            self._metrics.accepted.inc(decoded.accepted)
            self._metrics.ack_seconds.observe(time.perf_counter() - started, requests)

    async def _make_durable(self, decoded: Decoded, lines: Sequence[bytes]) -> None:
        keeping = self._sink.append(decoded.events, lines)
        if self._archive and decoded.events:
            await self._archive.beside(keeping, decoded.events, decoded.texts)
        else:
            await keeping

    def _count(self, decoded: Decoded) -> None:
        if not decoded.rejects.by_code and not decoded.refused_messages:
            self._metrics.received.inc(decoded.accepted)
            return
        refused = decoded.rejects.by_code + Counter(message.reject.code for message in decoded.refused_messages)
        self._metrics.received.inc(decoded.accepted + refused.total())
        for code, items in refused.items():
            self._metrics.rejected.labels(code).inc(items)

    def _told(self, messages: Sequence[RefusedMessage]) -> list[bytes]:
        """The points of refused messages, where they can be kept; one line of the log either way."""
        first = messages[0]
        self._tell_of_refused("messages_refused", messages=len(messages), path=first.path, reason=first.reject.reason)
        if not self._sink.keeps_other_measurements:
            return []
        # Whoever may publish to a broker could fill the disk with them.
        kept = [message.line for message in messages if not self._kept_messages.take()]
        self._metrics.messages_not_kept.inc(len(messages) - len(kept))
        return kept

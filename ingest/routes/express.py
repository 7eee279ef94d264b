"""Writes that go on in the express lane: the head is one that was let in, so only the body is new."""

import time
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from ingest.access.guard import PASS
from ingest.access.passes import Pass
from ingest.capacity import SMALL_BODY_BYTES, Capacity
from ingest.decode import Decoded, Decoder
from ingest.errors import IngestError
from ingest.metrics import Metrics
from ingest.reception import Reception
from ingest.routes.answers import answer_to, unexpected
from ingest.routes.bodies import BodyLimits
from ingest.routes.receipts import ReceiptOf
from ingest.server.answers import whole
from ingest.server.connection import Connection


class ExpressWays:
    """Opens the express lane to what comes with the head of a request that was taken."""

    def __init__(self, reception: Reception, metrics: Metrics, limits: BodyLimits, capacity: Capacity) -> None:
        self._reception = reception
        self._metrics = metrics
        self._capacity = capacity
        self.most_bytes = min(limits.max_bytes, limits.max_inflated_bytes)
        self._acks = _Acks()

    def open(self, request: web.Request, decoder: Decoder, receipt_of: ReceiptOf) -> None:
        """What comes on this connection with the same head is for ``decoder``, while the sender's pass holds."""
        connection, admitted = request.protocol, request.get(PASS)
        if isinstance(connection, Connection) and admitted is not None:
            connection.remember(request, _WriteWay(self, request.path, admitted, decoder, receipt_of))

    async def answered(self, way: "_WriteWay", body: bytes) -> bytes:
        """The whole answer, once ``body`` is decoded, what it holds is durable, and all is counted."""
        started = time.perf_counter()
        try:
            if len(body) <= SMALL_BODY_BYTES:
                return await self._kept(way, body, started)
            with self._capacity.body() as share:
                share.grow_to(len(body))
                return await self._kept(way, body, started)
        except IngestError as error:
            self._metrics.rejected.labels(error.code).inc()
            return whole(answer_to(way.path, error))
        except Exception:
            return whole(unexpected("POST", way.path))

    async def _kept(self, way: "_WriteWay", body: bytes, started: float) -> bytes:
        decoded = await self._reception.decoded(way.decoder, body)
        await self._reception.keep(decoded, started)
        return self._acks.of(way.receipt_of, decoded)


class _WriteWay:
    """Where the requests of one head lead."""

    __slots__ = ("_ways", "admitted", "decoder", "path", "receipt_of")

    def __init__(self, ways: ExpressWays, path: str, admitted: Pass, decoder: Decoder, receipt_of: ReceiptOf) -> None:
        self._ways = ways
        self.path = path
        self.admitted = admitted
        self.decoder = decoder
        self.receipt_of = receipt_of

    @property
    def most_bytes(self) -> int:
        return self._ways.most_bytes

    def begin(self, body: bytes, /) -> Coroutine[Any, Any, bytes] | None:
        """None if the body is too long, or the sender's pass holds no more."""
        if len(body) > self._ways.most_bytes or not self.admitted.holds():
            return None
        self.admitted.use()
        return self._ways.answered(self, body)


class _Acks:
    """Answers to bodies; where nothing was refused, all that are alike are the same for a second."""

    def __init__(self) -> None:
        self._second = 0
        self._known: dict[tuple[ReceiptOf, int], bytes] = {}

    def of(self, receipt_of: ReceiptOf, decoded: Decoded) -> bytes:
        if decoded.rejects.listed:
            return whole(receipt_of(decoded))
        second = int(time.time())
        if second != self._second:
            self._second, self._known = second, {}
        key = receipt_of, decoded.accepted
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = whole(receipt_of(decoded))
        return known

"""Writes that go on in the express lane: the head is one that was let in, so only the body is new."""

import time
from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from ingest.access.guard import PASS
from ingest.access.passes import Pass
from ingest.capacity import SMALL_BODY_BYTES, Capacity
from ingest.decode import Decoded, Decoder
from ingest.decode.json_events import JsonDecoder
from ingest.errors import IngestError
from ingest.metrics import Metrics
from ingest.reception import Reception
from ingest.routes.answers import answer_to, unexpected
from ingest.routes.bodies import BodyLimits
from ingest.routes.receipts import ReceiptOf
from ingest.routes.together import Asked, Together
from ingest.server.answers import whole
from ingest.server.connection import Connection
from ingest.server.errand import Errand
from ingest.server.heads import Done


class ExpressWays:
    """Opens the express lane to what comes with the head of a request that was taken.

    Small bodies for ``json``, which are single events mostly, are taken together.
    """

    def __init__(
        self, reception: Reception, metrics: Metrics, limits: BodyLimits, capacity: Capacity, json: JsonDecoder
    ) -> None:
        self._reception = reception
        self._metrics = metrics
        self._capacity = capacity
        self._json = json
        self._together = Together(json, self._answers, self._begin_alone)
        self.most_bytes = min(limits.max_bytes, limits.max_inflated_bytes)
        self._acks = _Acks()

    def open(self, request: web.Request, decoder: Decoder, receipt_of: ReceiptOf) -> None:
        """What comes on this connection with the same head is for ``decoder``, while the sender's pass holds."""
        connection, admitted = request.protocol, request.get(PASS)
        if isinstance(connection, Connection) and admitted is not None:
            connection.remember(request, _WriteWay(self, request.path, admitted, decoder, receipt_of))

    def begin(self, asked: Asked["_WriteWay"]) -> None:
        """Have it answered once its body is decoded, what it holds is durable, and all is counted."""
        if asked.way.decoder is self._json and len(asked.body) <= SMALL_BODY_BYTES:
            self._together.put(asked)
        else:
            self._begin_alone(asked)

    def _begin_alone(self, asked: Asked["_WriteWay"]) -> None:
        Errand(self._answer(asked), asked.done).go_on()

    async def _answer(self, asked: Asked["_WriteWay"]) -> bytes:
        body = asked.body
        try:
            if len(body) <= SMALL_BODY_BYTES:
                return await self._kept(asked)
            with self._capacity.body() as share:
                share.grow_to(len(body))
                return await self._kept(asked)
        except Exception as error:
            return self._refusal(asked.way.path, error)

    async def _kept(self, asked: Asked["_WriteWay"]) -> bytes:
        decoded = await self._reception.decoded(asked.way.decoder, asked.body)
        await self._reception.keep(decoded, asked.started)
        return self._acks.of(asked.way.receipt_of, decoded)

    async def _answers(self, asked: Sequence[Asked["_WriteWay"]], decoded: Decoded) -> list[bytes]:
        """To requests of which each holds one of the events."""
        try:
            await self._reception.keep(decoded, asked[0].started, len(asked))
        except Exception as error:
            paths = Counter(one.way.path for one in asked)
            refusals = {path: self._refusal(path, error, requests) for path, requests in paths.items()}
            return [refusals[one.way.path] for one in asked]
        # Who shares a decoder gets the same kind of receipt.
        return [self._acks.of(asked[0].way.receipt_of, Decoded(decoded.events[:1]))] * len(asked)

    def _refusal(self, path: str, error: Exception, requests: int = 1) -> bytes:
        if isinstance(error, IngestError):
            self._metrics.rejected.labels(error.code).inc(requests)
            return whole(answer_to(path, error))
        return whole(unexpected("POST", path))


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

    def begin(self, body: bytes, done: Done, /) -> bool:
        """False if the body is too long, or the sender's pass holds no more."""
        if len(body) > self._ways.most_bytes or not self.admitted.holds():
            return False
        self.admitted.use()
        self._ways.begin(Asked(self, body, time.perf_counter(), done))
        return True


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

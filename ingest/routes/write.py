"""The routes that take events: JSON and line protocol in, a 2xx once they are on disk."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiohttp import hdrs, web

from ingest.body import decoded_body
from ingest.capacity import BodyShare, Capacity
from ingest.decode import Decoder
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.decode.line_events import LineBody, LineDecoder
from ingest.errors import BadParameter, BodyTooLarge, IngestError, UnknownContentType
from ingest.metrics import Metrics
from ingest.reception import Reception
from ingest.routes.bodies import BodyLimits, expected, read_body
from ingest.routes.express import ExpressWays
from ingest.routes.receipts import ReceiptOf, events_receipt, lines_receipt
from ingest.rules import Rules
from ingest.server.connection import is_counted

WRITE_PATHS = ("/get_sensor", "/events", "/api/v2/write", "/write")
_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_JSON = ("application/json", "")
_V2_PRECISIONS = ("ns", "us", "ms", "s")
_V1_PRECISIONS = (*_V2_PRECISIONS, "m", "h")
_V1_OTHER_NAMES = {"": "ns", "n": "ns", "u": "us", "µ": "us"}


class _Kind(NamedTuple):
    """How the body of a request is decoded, and what it is answered with."""

    decoder_of: Callable[[web.Request], Decoder]
    receipt_of: ReceiptOf


class WriteRoutes:
    """Takes events in any format and makes them durable."""

    def __init__(
        self,
        rules: Rules,
        lines: LineDecoder,
        reception: Reception,
        metrics: Metrics,
        limits: BodyLimits,
        *,
        capacity: Capacity,
        keeps_texts: bool,
    ) -> None:
        self._json = JsonDecoder(rules, limits.items, keeps_texts=keeps_texts)
        self._ndjson = NdjsonDecoder(rules, limits.items, keeps_texts=keeps_texts)
        self._lines = lines
        self._reception = reception
        self._metrics = metrics
        self._limits = limits
        self._capacity = capacity
        self._express = ExpressWays(reception, metrics, limits, capacity, self._json)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/get_sensor", self.post_events, expect_handler=expected),
            web.post("/events", self.post_events, expect_handler=expected),
            web.post("/api/v2/write", self.post_lines, expect_handler=expected),
            web.post("/write", self.post_lines_v1, expect_handler=expected),
        ]

    async def post_events(self, request: web.Request) -> web.Response:
        """JSON or NDJSON; 202 with what was refused, 400 if nothing could be taken."""
        return await self._take(request, _Kind(self._events_decoder, events_receipt))

    async def post_lines(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 2 takes it; 204, or InfluxDB's error for the lines that were refused."""
        return await self._take(request, _Kind(self._lines_decoder, lines_receipt))

    async def post_lines_v1(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 1 takes it."""
        return await self._take(request, _Kind(self._lines_decoder_v1, lines_receipt))

    def _events_decoder(self, request: web.Request) -> Decoder:
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type in _JSON:
            return self._json
        if content_type in _NDJSON:
            return self._ndjson
        raise UnknownContentType(content_type)

    def _lines_decoder(self, request: web.Request) -> Decoder:
        return self._lines_at(request.query.get("precision", "ns"), _V2_PRECISIONS)

    def _lines_decoder_v1(self, request: web.Request) -> Decoder:
        precision = request.query.get("precision", "")
        return self._lines_at(_V1_OTHER_NAMES.get(precision, precision), _V1_PRECISIONS)

    def _lines_at(self, precision: str, known: Sequence[str]) -> Decoder:
        if precision not in known:
            raise BadParameter(f"invalid precision; valid precision units are {', '.join(known[:-1])}, and {known[-1]}")
        return LineBody(self._lines, precision)

    async def _take(self, request: web.Request, kind: _Kind) -> web.Response:
        """Decode the body and make its events durable, counting every step."""
        started = time.perf_counter()
        try:
            with self._capacity.body() as share:
                body = await read_body(request, self._limits, share)
                if is_counted(request):
                    return await self._kept(request, kind, body, share, started)
                # It did not come whole and alone, and has passed the gate. While its body came it was no work.
                with self._capacity.place():
                    return await self._kept(request, kind, body, share, started)
        except IngestError as error:
            self._metrics.rejected.labels(error.code).inc()
            raise

    async def _kept(
        self, request: web.Request, kind: _Kind, body: bytes, share: BodyShare, started: float
    ) -> web.Response:
        encoding = request.headers.get(hdrs.CONTENT_ENCODING)
        if encoding is not None:
            async with self._reception.large:
                body = await decoded_body(body, encoding, self._limits.max_inflated_bytes, share)
        elif len(body) > self._limits.max_inflated_bytes:
            raise BodyTooLarge(self._limits.max_inflated_bytes)
        decoder = kind.decoder_of(request)
        decoded = await self._reception.decoded(decoder, body)
        await self._reception.keep(decoded, started)
        if decoded.accepted:
            self._express.open(request, decoder, kind.receipt_of)
        return kind.receipt_of(decoded)

"""The routes that take events: JSON and line protocol in, a 2xx once they are on disk."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from ingest.body import decoded_body
from ingest.decode import Decoded
from ingest.decode.json_events import JsonDecoder
from ingest.decode.line_events import NS_PER_PRECISION, LineDecoder
from ingest.errors import BadParameter, BodyTooLarge, IngestError, UnknownContentType
from ingest.line_parser import LINE_PROTOCOL
from ingest.metrics import Metrics
from ingest.reject import RejectedItem
from ingest.routes.answers import error_answer, json_answer
from ingest.sink import Sink

# Above this size decoding goes to a thread, so that the loop answers others meanwhile.
_LARGE_BODY_BYTES = 200_000
_MAX_LINES_NAMED = 10
_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_JSON = ("application/json", "")
# InfluxDB 1.x names of precisions, on /write.
_V1_PRECISION = {"": "ns", "n": "ns", "u": "us", "µ": "us"}


class Receipt(msgspec.Struct, frozen=True):
    """The answer to a body of events."""

    accepted: int
    rejected: list[RejectedItem]


class WriteRoutes:
    """Takes bodies of at most ``max_body_bytes``, and as much again inflated."""

    def __init__(
        self, json_decoder: JsonDecoder, line_decoder: LineDecoder, sink: Sink, metrics: Metrics, max_body_bytes: int
    ) -> None:
        self._json = json_decoder
        self._lines = line_decoder
        self._sink = sink
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/get_sensor", self.post_events),
            web.post("/events", self.post_events),
            web.post("/api/v2/write", self.post_lines),
            web.post("/write", self.post_lines_v1),
        ]

    async def post_events(self, request: web.Request) -> web.Response:
        """JSON or NDJSON; 202 with what was refused, 400 if nothing could be taken."""
        decoded = await self._take(request, self._events_decoder(request))
        status = HTTPStatus.ACCEPTED if decoded.accepted else HTTPStatus.BAD_REQUEST
        return json_answer(Receipt(decoded.accepted, decoded.rejected), status)

    async def post_lines(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 2 takes it; 204, or InfluxDB's error for the lines that were refused."""
        return await self._post_lines(request, request.query.get("precision", "ns"))

    async def post_lines_v1(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 1 takes it."""
        precision = request.query.get("precision", "")
        return await self._post_lines(request, _V1_PRECISION.get(precision, precision))

    async def _post_lines(self, request: web.Request, precision: str) -> web.Response:
        if precision not in NS_PER_PRECISION:
            raise BadParameter("invalid precision; valid precision units are ns, us, ms, and s")
        decoded = await self._take(request, lambda body: self._lines.decode(body, precision))
        if not decoded.rejected:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return error_answer(HTTPStatus.BAD_REQUEST, "invalid", _refused_lines(decoded))

    def _events_decoder(self, request: web.Request) -> Callable[[bytes], Decoded]:
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type in _JSON:
            return self._json.decode_json
        if content_type in _NDJSON:
            return self._json.decode_ndjson
        self._metrics.rejected.labels(UnknownContentType.code).inc()
        raise UnknownContentType(content_type)

    async def _take(self, request: web.Request, decode: Callable[[bytes], Decoded]) -> Decoded:
        """Decode the body and make its events durable, counting every step."""
        started = time.perf_counter()
        try:
            decoded = await _run(decode, await self._body(request))
            self._count(decoded)
            if decoded.accepted:
                await self._sink.append(decoded.events, decoded.lines)
                self._metrics.accepted.inc(decoded.accepted)
                self._metrics.ack_seconds.observe(time.perf_counter() - started)
        except IngestError as error:
            self._metrics.rejected.labels(error.code).inc()
            raise
        return decoded

    async def _body(self, request: web.Request) -> bytes:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise BodyTooLarge(self._max_body_bytes) from None
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        return await decoded_body(body, encoding, self._max_body_bytes)

    def _count(self, decoded: Decoded) -> None:
        self._metrics.received.inc(decoded.received)
        for item in decoded.rejected:
            self._metrics.rejected.labels(item.code).inc()


async def _run(decode: Callable[[bytes], Decoded], body: bytes) -> Decoded:
    return await asyncio.to_thread(decode, body) if len(body) > _LARGE_BODY_BYTES else decode(body)


def _refused_lines(decoded: Decoded) -> str:
    reasons = "\n".join(map(_reason, decoded.rejected[:_MAX_LINES_NAMED]))
    if not decoded.accepted:
        return reasons
    return f"partial write: {reasons} dropped={len(decoded.rejected)}"


def _reason(item: RejectedItem) -> str:
    # What the parser refuses is shown with its text; what a rule refuses needs its place.
    if item.index is None or item.code == LINE_PROTOCOL:
        return item.reason
    return f"point {item.index + 1}: {item.reason}"

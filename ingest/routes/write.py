"""The routes that take events: JSON and line protocol in, a 2xx once they are on disk."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import hdrs, web

from ingest.archive.archive import Archive
from ingest.body import decoded_body
from ingest.capacity import BodyShare, Capacity
from ingest.decode import Decoded, Decoder, RefusedMessage
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.decode.line_events import LineBody, LineDecoder
from ingest.errors import BadParameter, BodyTooLarge, IngestError, UnknownContentType
from ingest.fail_points import Point, Reached, never
from ingest.line_parser import LINE_PROTOCOL
from ingest.metrics import Metrics
from ingest.reject import RejectedItem
from ingest.routes.answers import error_answer, json_answer
from ingest.routes.bodies import BodyLimits, expected, read_body
from ingest.rules import Rules
from ingest.seldom import Seldom
from ingest.server.connection import is_counted
from ingest.sink import Sink
from ingest.token_bucket import TokenBucket

WRITE_PATHS = ("/get_sensor", "/events", "/api/v2/write", "/write")
# Above these sizes decoding goes to a thread, so that the loop answers others meanwhile.
_QUICK_BODY_BYTES = 200_000
_THOROUGH_BODY_BYTES = 10_000
# They need the interpreter all the time: more at once would be no faster, and every other request slower.
_MOST_LARGE_BODIES = 2
_MAX_LINES_NAMED = 10
_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_JSON = ("application/json", "")
_V2_PRECISIONS = ("ns", "us", "ms", "s")
_V1_PRECISIONS = (*_V2_PRECISIONS, "m", "h")
_V1_OTHER_NAMES = {"": "ns", "n": "ns", "u": "us", "µ": "us"}


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a body of events; ``not_listed`` counts what was refused beyond the listed ones."""

    accepted: int
    rejected: list[RejectedItem]
    not_listed: int = 0


class WriteRoutes:
    """Takes events in any format and makes them durable."""

    def __init__(
        self,
        rules: Rules,
        lines: LineDecoder,
        sink: Sink,
        metrics: Metrics,
        limits: BodyLimits,
        *,
        capacity: Capacity,
        archive: Archive | None,
        reached: Reached = never,
    ) -> None:
        self._json = JsonDecoder(rules, limits.items, keeps_texts=archive is not None)
        self._ndjson = NdjsonDecoder(rules, limits.items, keeps_texts=archive is not None)
        self._lines = lines
        self._sink = sink
        self._archive = archive
        self._reached = reached
        self._metrics = metrics
        self._limits = limits
        self._capacity = capacity
        self._kept_messages = TokenBucket(limits.messages_a_minute / 60, limits.messages_a_minute)
        self._large = asyncio.Semaphore(_MOST_LARGE_BODIES)
        self._tell_of_refused = Seldom(structlog.get_logger("write").warning)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/get_sensor", self.post_events, expect_handler=expected),
            web.post("/events", self.post_events, expect_handler=expected),
            web.post("/api/v2/write", self.post_lines, expect_handler=expected),
            web.post("/write", self.post_lines_v1, expect_handler=expected),
        ]

    async def post_events(self, request: web.Request) -> web.Response:
        """JSON or NDJSON; 202 with what was refused, 400 if nothing could be taken."""
        decoded = await self._take(request, self._events_decoder)
        status = HTTPStatus.ACCEPTED if decoded.accepted else HTTPStatus.BAD_REQUEST
        listed = decoded.rejects.listed
        return json_answer(Receipt(decoded.accepted, listed, decoded.rejects.total() - len(listed)), status)

    async def post_lines(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 2 takes it; 204, or InfluxDB's error for the lines that were refused."""
        return _lines_answer(await self._take(request, self._lines_decoder))

    async def post_lines_v1(self, request: web.Request) -> web.Response:
        """Line protocol as InfluxDB 1 takes it."""
        return _lines_answer(await self._take(request, self._lines_decoder_v1))

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

    async def _take(self, request: web.Request, choose: Callable[[web.Request], Decoder]) -> Decoded:
        """Decode the body and make its events durable, counting every step."""
        started = time.perf_counter()
        try:
            with self._capacity.body() as share:
                body = await read_body(request, self._limits, share)
                if is_counted(request):
                    return await self._kept(request, choose, body, share, started)
                # It did not come whole and alone, and has passed the gate. While its body came it was no work.
                with self._capacity.place():
                    return await self._kept(request, choose, body, share, started)
        except IngestError as error:
            self._metrics.rejected.labels(error.code).inc()
            raise

    async def _kept(
        self,
        request: web.Request,
        choose: Callable[[web.Request], Decoder],
        body: bytes,
        share: BodyShare,
        started: float,
    ) -> Decoded:
        encoding = request.headers.get(hdrs.CONTENT_ENCODING)
        if encoding is not None:
            async with self._large:
                body = await decoded_body(body, encoding, self._limits.max_inflated_bytes, share)
        elif len(body) > self._limits.max_inflated_bytes:
            raise BodyTooLarge(self._limits.max_inflated_bytes)
        decoded = await self._decoded(choose(request), body)
        self._count(decoded)
        lines = [*decoded.lines, *self._told(decoded.refused_messages)]
        if decoded.events or lines:
            await self._keep(decoded, lines)
            self._reached(Point.BEFORE_ACK)
            self._metrics.accepted.inc(decoded.accepted)
            self._metrics.ack_seconds.observe(time.perf_counter() - started)
        return decoded

    async def _decoded(self, decoder: Decoder, body: bytes) -> Decoded:
        if len(body) > _QUICK_BODY_BYTES:
            async with self._large:
                return await asyncio.to_thread(lambda: decoder.quick(body) or decoder.thorough(body))
        decoded = decoder.quick(body)
        if decoded is not None:
            return decoded
        if len(body) > _THOROUGH_BODY_BYTES:
            async with self._large:
                return await asyncio.to_thread(decoder.thorough, body)
        return decoder.thorough(body)

    async def _keep(self, decoded: Decoded, lines: Sequence[bytes]) -> None:
        keeping = self._sink.append(decoded.events, lines)
        if self._archive and decoded.events:
            await self._archive.beside(keeping, decoded.events, decoded.texts)
        else:
            await keeping

    def _count(self, decoded: Decoded) -> None:
        refused = decoded.rejects.by_code + Counter(message.reject.code for message in decoded.refused_messages)
        self._metrics.received.inc(decoded.accepted + refused.total())
        for code, items in refused.items():
            self._metrics.rejected.labels(code).inc(items)

    def _told(self, messages: Sequence[RefusedMessage]) -> list[bytes]:
        """The points of refused messages, where they can be kept; one line of the log either way."""
        if not messages:
            return []
        first = messages[0]
        self._tell_of_refused("messages_refused", messages=len(messages), path=first.path, reason=first.reject.reason)
        if not self._sink.keeps_other_measurements:
            return []
        # Whoever may publish to a broker could fill the disk with them.
        kept = [message.line for message in messages if not self._kept_messages.take()]
        self._metrics.messages_not_kept.inc(len(messages) - len(kept))
        return kept


def _lines_answer(decoded: Decoded) -> web.Response:
    if not decoded.rejects.listed:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    return error_answer(HTTPStatus.BAD_REQUEST, "invalid", _refused_lines(decoded))


def _refused_lines(decoded: Decoded) -> str:
    reasons = "\n".join(map(_reason, decoded.rejects.listed[:_MAX_LINES_NAMED]))
    if not decoded.accepted:
        return reasons
    return f"partial write: {reasons} dropped={decoded.rejects.total()}"


def _reason(item: RejectedItem) -> str:
    # What the parser refuses is shown with its text; what a rule refuses needs its place.
    if item.index is None or item.code == LINE_PROTOCOL:
        return item.reason
    return f"point {item.index + 1}: {item.reason}"

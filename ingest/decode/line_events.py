"""Line protocol bodies: lines of ``events`` become events, and so do a broker's messages; other lines pass through."""

from collections.abc import Callable

import msgspec

from ingest.bounded import BoundedDict
from ingest.decode import Decoded, RefusedMessage
from ingest.decode.event_lines import name_of, valor_of
from ingest.decode.limits import ItemLimits, is_dense
from ingest.decode.mqtt_messages import Message, MessageDecoder, is_message
from ingest.decode.plain_lines import PlainLines
from ingest.event import NS_PER_MS, Event
from ingest.line_parser import (
    BadLine,
    Line,
    field_keys,
    field_refusal,
    parse_lines,
    unescape_key,
)
from ingest.reject import Reject
from ingest.rules import Rules
from ingest.series.known import Standing
from ingest.series.names import measurement_of, name_of_field

# InfluxDB 2 knows the first four, InfluxDB 1 all of them.
NS_PER_PRECISION = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
# InfluxDB's own bounds: the two outermost values of 64 bits mean something else to it.
_MIN_TIME_NS, _MAX_TIME_NS = -(2**63) + 2, 2**63 - 2
_MAX_CACHED_KEYS = 200_000
_MAX_CACHED_KEY_BYTES = 512
# More lines than this allows do not fit into a body.
_SHORTEST_BYTES = len("m f=1\n")
_NOT_KEPT = Reject("measurement", "the embedded store keeps the measurement events only; --store influx keeps any")


class _Series(msgspec.Struct, frozen=True):
    """What a line's key means: the ``tag`` of an event, or "" for a ``measurement`` that passes through."""

    tag: str
    measurement: bytes


class LineBody:
    """The decoder of one request's lines, whose times are in ``precision``."""

    def __init__(self, decoder: "LineDecoder", precision: str) -> None:
        self._decoder = decoder
        self._precision = precision

    def quick(self, body: bytes) -> Decoded | None:
        return self._decoder.quick(body, self._precision)

    def thorough(self, body: bytes) -> Decoded:
        return self._decoder.decode(body, self._precision)


class LineDecoder:
    """Decodes line protocol; remembers what each key means, for a series sends the same one again and again."""

    def __init__(
        self,
        rules: Rules,
        clock_ns: Callable[[], int],
        keeps_other_measurements: bool,
        limits: ItemLimits | None = None,
        keeps_texts: bool = False,
    ) -> None:
        self._rules = rules
        self._limits = limits or ItemLimits()
        self._keeps_texts = keeps_texts
        self._clock_ns = clock_ns
        self._keeps_other_measurements = keeps_other_measurements
        self._series: BoundedDict[bytes, _Series] = BoundedDict(_MAX_CACHED_KEYS)
        # Measurements with the names of fields that are known and come together.
        self._shapes: BoundedDict[tuple[bytes, ...], Standing] = BoundedDict(_MAX_CACHED_KEYS)
        self._messages = MessageDecoder(rules)
        self._plain = PlainLines(rules.knows)

    def quick(self, body: bytes, precision: str) -> Decoded | None:
        """Plain lines of events that keep the rules; None of any other body."""
        events = self._plain.events(body, NS_PER_PRECISION[precision]) if self._is_within_limits(body) else None
        if events is None or not self._rules.keeps_all(events):
            return None
        return Decoded(events, texts=list(map(msgspec.json.encode, events)) if self._keeps_texts else [])

    def decode(self, body: bytes, precision: str) -> Decoded:
        """``precision`` is one of ``NS_PER_PRECISION``; a line without a time gets the current one."""
        decoded = Decoded()
        now_ns, unit_ns = self._clock_ns(), NS_PER_PRECISION[precision]
        for index, line in enumerate(parse_lines(body, self._limits.max_line_bytes)):
            self._limits.check_events(index + 1)
            item = line.reject if isinstance(line, BadLine) else self._item(line, now_ns, unit_ns)
            if isinstance(item, bytes):
                decoded.lines.append(item)
            elif isinstance(item, Event | Message):
                self._take(item, decoded)
            elif isinstance(item, RefusedMessage):
                decoded.refused_messages.append(item)
            else:
                decoded.rejects.add(index, item)
        return decoded

    def _is_within_limits(self, body: bytes) -> bool:
        limits, size = self._limits, len(body)
        if size > limits.max_events * _SHORTEST_BYTES and body.count(b"\n", 0, -1) >= limits.max_events:
            return False
        return size <= limits.max_line_bytes or is_dense(body, b"\n", limits.max_line_bytes)

    def _take(self, item: Event | Message, decoded: Decoded) -> None:
        event = item.event if isinstance(item, Message) else item
        decoded.events.append(event)
        if self._keeps_texts:
            # A line has no JSON of its own: it gets what decodes to the same event.
            decoded.texts.append(item.text if isinstance(item, Message) else msgspec.json.encode(event))

    def _item(self, line: Line, now_ns: int, unit_ns: int) -> Event | Message | bytes | RefusedMessage | Reject:
        time_ns = now_ns if line.time is None else line.time * unit_ns
        if not _MIN_TIME_NS <= time_ns <= _MAX_TIME_NS:
            return Reject("time_range", f"time outside range {_MIN_TIME_NS} - {_MAX_TIME_NS}")
        if is_message(line.key):
            return self._messages.decode(line, time_ns, now_ns)
        series = self._series.get(line.key)
        return self._of_series(line, time_ns, series) if series else self._of_new_key(line, time_ns)

    def _of_series(self, line: Line, time_ns: int, series: _Series) -> Event | bytes | Reject:
        if not series.tag:
            refusal = (
                field_refusal(line)
                or self._rules.time_refusal(time_ns // NS_PER_MS)
                or self._fields_refusal(series.measurement, line.fields)
            )
            return refusal or b"%b %b %d\n" % (line.key, line.fields, time_ns)
        valor = valor_of(line.fields)
        return valor if isinstance(valor, Reject) else self._rules.check(Event(time_ns // NS_PER_MS, series.tag, valor))

    def _of_new_key(self, line: Line, time_ns: int) -> Event | bytes | Reject:
        name = name_of(line.key)
        if isinstance(name, bytes) and not self._keeps_other_measurements:
            return _NOT_KEPT
        if isinstance(name, Reject):
            return name
        series = _Series(name, b"") if isinstance(name, str) else _Series("", measurement_of(line.key))
        item = self._of_series(line, time_ns, series)
        if isinstance(item, Reject):
            # Nothing is remembered of it, or a flood of names would drive out the others.
            return item
        # The rules have asked for the sensor of an event already, if it has not been known for long.
        standing = Standing.KNOWN if isinstance(name, str) else self._rules.admit(name)
        if isinstance(standing, Reject):
            return standing
        if standing is Standing.KNOWN and len(line.key) <= _MAX_CACHED_KEY_BYTES:
            self._series.remember(line.key, series)
        return item

    def _fields_refusal(self, measurement: bytes, fields: bytes) -> Reject | None:
        """Why the fields of another measurement are not taken: each costs InfluxDB what a series does."""
        keys = field_keys(fields)
        shape = (measurement, *keys)
        if shape in self._shapes:
            return None
        are_known = True
        for key in keys:
            standing = self._rules.admit(name_of_field(measurement, unescape_key(key)))
            if isinstance(standing, Reject):
                return standing
            are_known = are_known and standing is Standing.KNOWN
        if are_known and sum(map(len, shape)) <= _MAX_CACHED_KEY_BYTES:
            self._shapes.remember(shape, Standing.KNOWN)
        return None

"""JSON bodies: one event, an array of events, or one event a line (NDJSON)."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ingest.decode import Decoded, refused
from ingest.decode.json_array import elements
from ingest.decode.json_text import BOM, TEXT_ERRORS, event_of, one_line, parse_text, reason
from ingest.decode.limits import ItemLimits, is_dense
from ingest.event import Event
from ingest.events import Events
from ingest.reject import Reject
from ingest.rules import Rules

_BLANKS = b" \t\r\n"
_TIMESTAMP = b'"timestamp"'
_BACKSLASH = ord("\\")
# Round three keys and two texts: more of them there are only with another key, or with one that stands twice.
_QUOTES_AN_EVENT = 10
# Of an event in an array: more of them than this allows do not fit into a body.
_SHORTEST_BYTES = len('{"timestamp":1,"tag":"a.b.c","valor":""}')
EMPTY = Reject("empty_body", "the body holds no event")


class JsonDecoder:
    """One event or an array of them."""

    def __init__(self, rules: Rules, limits: ItemLimits | None = None, keeps_texts: bool = False) -> None:
        self._rules = rules
        self._limits = limits or ItemLimits()
        self._keeps_texts = keeps_texts
        self._one = msgspec.json.Decoder(Event)
        self._many = msgspec.json.Decoder(list[Event])
        self._elements = msgspec.json.Decoder(list[msgspec.Raw])
        self._lines = NdjsonDecoder(rules, limits, keeps_texts)

    def together(self, bodies: Sequence[bytes]) -> Decoded | None:
        """What ``bodies`` hold that are plainly one event each, in their order; None if one needs a closer look."""
        bodies = [body.rstrip(_BLANKS) for body in bodies]
        if not all(body.startswith(b"{") and body.endswith(b"}") for body in bodies):
            return None
        # A line's end is within no text, and here between two events: so each body ends where one of its own does.
        decoded = self._lines.quick(b"\n".join(bodies))
        return decoded if decoded is not None and len(decoded.events) == len(bodies) else None

    def quick(self, body: bytes) -> Decoded | None:
        body = body.removeprefix(BOM)
        is_array = not body.startswith(b"{") and body[:16].lstrip()[:1] == b"["
        if not self._is_within_limits(body, is_array):
            return None
        try:
            events = Events.of(self._many.decode(body)) if is_array else Events.one(self._one.decode(body))
        except (ValueError, RecursionError):
            return None
        decoded = _checked(events, body, self._rules)
        if decoded is not None and self._keeps_texts:
            text = one_line(body)
            decoded.texts = [bytes(element) for element in self._elements.decode(text)] if is_array else [text]
        return decoded

    def thorough(self, body: bytes) -> Decoded:
        body = body.removeprefix(BOM)
        if not body.strip():
            return refused(EMPTY)
        if body.lstrip(_BLANKS)[:1] == b"[":
            return self._array(body)
        is_too_long = len(body.strip()) > self._limits.max_line_bytes
        value = self._limits.too_long() if is_too_long else parse_text(body)
        return refused(value) if isinstance(value, Reject) else self._sort_out([(value, body)])

    def _array(self, body: bytes) -> Decoded:
        """Refused whole where its JSON is broken: no one can say where its items end."""
        try:
            text = body.decode()
            items = elements(text, self._limits)
            return self._sort_out((value, element.encode()) for value, element in items)
        except TEXT_ERRORS as error:
            return refused(reason(error, body))

    def _is_within_limits(self, body: bytes, is_array: bool) -> bool:
        limits, size = self._limits, len(body)
        if size > limits.max_events * _SHORTEST_BYTES and is_array and body.count(_TIMESTAMP) > limits.max_events:
            return False
        if size <= limits.max_line_bytes:
            return True
        # Each event has the key once, so that no one is longer than two of the stretches between.
        return is_array and is_dense(body, _TIMESTAMP, limits.max_line_bytes // 2)

    def _sort_out(self, items: Iterable[tuple[Any, bytes]]) -> Decoded:
        return _sort_out(items, self._rules, self._limits, self._keeps_texts)


class NdjsonDecoder:
    """One event a line; blank lines are passed over and not counted."""

    def __init__(self, rules: Rules, limits: ItemLimits | None = None, keeps_texts: bool = False) -> None:
        self._rules = rules
        self._limits = limits or ItemLimits()
        self._keeps_texts = keeps_texts
        self._one = msgspec.json.Decoder(Event)

    def quick(self, body: bytes) -> Decoded | None:
        body = body.removeprefix(BOM).rstrip()
        ends, limits = body.count(b"\n"), self._limits
        if ends >= limits.max_events or (
            len(body) > limits.max_line_bytes and not is_dense(body, b"\n", limits.max_line_bytes)
        ):
            return None
        try:
            events = Events.of(self._one.decode_lines(body))
        except (ValueError, RecursionError):
            return None
        # The library wants no more than some white space between events; here each has a line to itself.
        if ends != len(events) - 1 or not _are_between_events(body, ends):
            return None
        decoded = _checked(events, body, self._rules)
        if decoded is not None and self._keeps_texts:
            decoded.texts = _lines(body)
        return decoded

    def thorough(self, body: bytes) -> Decoded:
        longest, too_long = self._limits.max_line_bytes, self._limits.too_long()
        lines = self._lines(body.removeprefix(BOM))
        items = ((parse_text(line) if len(line) <= longest else too_long, line) for line in lines)
        return _sort_out(items, self._rules, self._limits, self._keeps_texts)

    def _lines(self, body: bytes) -> Iterator[bytes]:
        for number, line in enumerate(io.BytesIO(body), 1):
            if line.strip():
                yield line.rstrip(b"\r\n")
            else:
                self._limits.check_lines(number)


def _lines(body: bytes) -> list[bytes]:
    """``one_line`` of each line of a body in which every line is an event."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    return body.lstrip().split(b"\n")


def _are_between_events(body: bytes, ends: int) -> bool:
    """Whether so many ends of a line stand between two events. A long pattern, of the commonest form, is found fast."""
    return body.count(b'}\n{"timestamp"') == ends or body.count(b"}\n{") + body.count(b"}\r\n{") == ends


def _checked(events: Events, body: bytes, rules: Rules) -> Decoded | None:
    if not events or not _is_unambiguous(body, len(events)):
        return None
    return Decoded(events) if rules.keeps_all(events) else None


def _is_unambiguous(body: bytes, events: int) -> bool:
    """Whether no key stands twice in an event that has all three, and no skipped value hides what is not UTF-8.

    The decoder takes the last of two equal keys; ``\\u006`` and ``\\u007`` could spell a key's letters in disguise.
    """
    if _BACKSLASH not in body and body.count(b'"') == _QUOTES_AN_EVENT * events:
        return True
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return False
    once_each = body.count(b'"timestamp"') == body.count(b'"tag"') == body.count(b'"valor"') == events
    return once_each and b"\\u006" not in body and b"\\u007" not in body


def _sort_out(items: Iterable[tuple[Any, bytes]], rules: Rules, limits: ItemLimits, keeps_texts: bool) -> Decoded:
    decoded = Decoded()
    for index, (value, text) in enumerate(items):
        limits.check_events(index + 1)
        event = value if isinstance(value, Reject) else event_of(value)
        checked = event if isinstance(event, Reject) else rules.check(event)
        if isinstance(checked, Reject):
            decoded.rejects.add(index, checked)
        else:
            decoded.events.append(checked)
            if keeps_texts:
                decoded.texts.append(one_line(text))
    return decoded if decoded.events or decoded.rejects.listed else refused(EMPTY)

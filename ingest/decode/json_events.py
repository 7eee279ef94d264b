"""JSON bodies: one event, an array of events, or one event a line (NDJSON)."""

import io
from collections.abc import Iterable
from typing import Any

import msgspec

from ingest.decode import Decoded, refused
from ingest.decode.json_text import BOM, event_of, parse_text
from ingest.event import Event
from ingest.reject import Reject
from ingest.rules import Rules

EMPTY = Reject("empty_body", "the body holds no event")


class JsonDecoder:
    """One event or an array of them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._one = msgspec.json.Decoder(Event)
        self._many = msgspec.json.Decoder(list[Event])

    def quick(self, body: bytes) -> Decoded | None:
        body = body.removeprefix(BOM)
        try:
            events = self._many.decode(body) if body[:16].lstrip()[:1] == b"[" else [self._one.decode(body)]
        except (ValueError, RecursionError):
            return None
        return _checked(events, body, self._rules)

    def thorough(self, body: bytes) -> Decoded:
        body = body.removeprefix(BOM)
        if not body.strip():
            return refused(EMPTY)
        value = parse_text(body)
        if isinstance(value, Reject):
            return refused(value)
        return _sort_out(value if isinstance(value, list) else [value], self._rules)


class NdjsonDecoder:
    """One event a line; blank lines are passed over and not counted."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._one = msgspec.json.Decoder(Event)

    def quick(self, body: bytes) -> Decoded | None:
        body = body.removeprefix(BOM).rstrip()
        try:
            events = self._one.decode_lines(body)
        except (ValueError, RecursionError):
            return None
        # The library wants no more than some white space between events; here each has a line to itself.
        ends = body.count(b"\n")
        if ends != len(events) - 1 or body.count(b"}\n{") + body.count(b"}\r\n{") != ends:
            return None
        return _checked(events, body, self._rules)

    def thorough(self, body: bytes) -> Decoded:
        lines = io.BytesIO(body.removeprefix(BOM))
        return _sort_out((parse_text(line.rstrip(b"\r\n")) for line in lines if line.strip()), self._rules)


def _checked(events: list[Event], body: bytes, rules: Rules) -> Decoded | None:
    if not events or not _is_unambiguous(body, len(events)):
        return None
    checked = rules.check_all(events)
    return None if checked is None else Decoded(checked)


def _is_unambiguous(body: bytes, events: int) -> bool:
    """Whether no key stands twice in an event that has all three, and no skipped value hides what is not UTF-8.

    The decoder takes the last of two equal keys; ``\\u006`` and ``\\u007`` could spell a key's letters in disguise.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return False
    once_each = body.count(b'"timestamp"') == body.count(b'"tag"') == body.count(b'"valor"') == events
    return once_each and b"\\u006" not in body and b"\\u007" not in body


def _sort_out(values: Iterable[Any], rules: Rules) -> Decoded:
    decoded = Decoded()
    for index, value in enumerate(values):
        event = value if isinstance(value, Reject) else event_of(value)
        checked = event if isinstance(event, Reject) else rules.check(event)
        if isinstance(checked, Reject):
            decoded.rejects.add(index, checked)
        else:
            decoded.events.append(checked)
    return decoded if decoded.events or decoded.rejects.listed else refused(EMPTY)

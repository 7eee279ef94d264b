"""JSON bodies: one event, an array of events, or one event a line (NDJSON)."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ingest.decode import Decoded
from ingest.decode.json_text import BOM, event_of, parse_text
from ingest.event import Event
from ingest.reject import Reject, RejectedItem
from ingest.rules import Rules

EMPTY = Reject("empty_body", "the body holds no event")


class JsonDecoder:
    """Decodes whole bodies at once; only a body that is not plainly right is looked at item by item."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._one = msgspec.json.Decoder(Event)
        self._many = msgspec.json.Decoder(list[Event])

    def decode_json(self, body: bytes) -> Decoded:
        """One event or an array of them."""
        body = body.removeprefix(BOM)
        plain = self._plain(body, self._values)
        if plain is not None or not body.strip():
            return plain or _nothing(EMPTY)
        value = parse_text(body)
        if isinstance(value, Reject):
            return _nothing(value)
        return self._sort_out(value if isinstance(value, list) else [value])

    def decode_ndjson(self, body: bytes) -> Decoded:
        """One event a line; blank lines are passed over and not counted."""
        body = body.removeprefix(BOM)
        return self._plain(body, self._lines) or self._sort_out(parse_text(line) for line in _lines(body))

    def _plain(self, body: bytes, decode: Callable[[bytes], list[Event]]) -> Decoded | None:
        """The events of a body in which every item is right, else None."""
        try:
            events = decode(body)
        except (ValueError, RecursionError):
            return None
        if not events or not _is_unambiguous(body, len(events)):
            return None
        checked = self._rules.check_all(events)
        return None if checked is None else Decoded(checked, [], [])

    def _values(self, body: bytes) -> list[Event]:
        return self._many.decode(body) if body[:16].lstrip()[:1] == b"[" else [self._one.decode(body)]

    def _lines(self, body: bytes) -> list[Event]:
        events = self._one.decode_lines(body)
        return events if len(events) == body.rstrip().count(b"\n") + 1 else []

    def _sort_out(self, values: Iterable[Any]) -> Decoded:
        events: list[Event] = []
        rejected: list[RejectedItem] = []
        for index, value in enumerate(values):
            event = value if isinstance(value, Reject) else event_of(value)
            checked = event if isinstance(event, Reject) else self._rules.check(event)
            if isinstance(checked, Reject):
                rejected.append(RejectedItem.at(index, checked))
            else:
                events.append(checked)
        return Decoded(events, [], rejected) if events or rejected else _nothing(EMPTY)


def _nothing(reject: Reject) -> Decoded:
    return Decoded([], [], [RejectedItem.at(None, reject)])


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _is_unambiguous(body: bytes, events: int) -> bool:
    """Whether no key can stand twice and no skipped value can hide bytes that are not UTF-8.

    The decoder takes the last of two equal keys; ``\\u006`` and ``\\u007`` could spell a key's letters in disguise.
    """
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return False
    once_each = body.count(b'"timestamp"') == body.count(b'"tag"') == body.count(b'"valor"') == events
    return once_each and b"\\u006" not in body and b"\\u007" not in body

"""One JSON text to an event, slowly and with a reason: what the fast path of ``json_events`` could not take."""

import json
from typing import Any, NoReturn, cast

from ingest.event import Event
from ingest.reject import Reject

_KEYS = ("timestamp", "tag", "valor")
BOM = b"\xef\xbb\xbf"


class _NumberText(str):
    """A JSON number as it was written: a ``valor`` of 23.50 is taken as the text "23.50"."""

    __slots__ = ()


class Refusal(ValueError):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.reject = Reject(code, reason)


class _Members(dict[str, Any]):
    """A JSON object; remembers which of an event's keys it saw twice."""

    twice: str | None = None


def parse_text(body: bytes) -> Any | Reject:
    """Any JSON text as Python values, for ``event_of``; or why it is none."""
    if body.startswith(BOM):
        return Reject("byte_order_mark", "a byte order mark stands before it; only the start of a body may have one")
    try:
        return DECODER.decode(body.decode())
    except TEXT_ERRORS as error:
        return reason(error, body)


def reason(error: Exception, body: bytes) -> Reject:
    """Why ``body`` is no JSON text, of one of TEXT_ERRORS."""
    match error:
        case UnicodeDecodeError():
            return Reject("invalid_utf8", f"not UTF-8: byte {error.start} is {body[error.start]:#04x}")
        case RecursionError():
            return Reject("too_deep", "nested too deeply")
        case Refusal():
            return error.reject
        case json.JSONDecodeError():
            return Reject("invalid_json", f"not JSON: {_lower(error.msg).removesuffix(' at')} at character {error.pos}")
    raise error


def one_line(text: bytes) -> bytes:
    """A JSON text without the line breaks between its tokens; inside strings JSON allows none."""
    if b"\n" in text or b"\r" in text:
        text = text.replace(b"\n", b" ").replace(b"\r", b" ")
    return text.strip()


def event_of(value: Any) -> Event | Reject:
    """The event that a parsed JSON value is, or which of its parts is wrong."""
    if not isinstance(value, _Members):
        example = '{"timestamp": 1539112021301, "tag": "brasil.sudeste.sensor01", "valor": "23.5"}'
        return Reject("not_an_object", f"an event is a JSON object like {example}")
    if value.twice is not None:
        return Reject("duplicate_key", f"key {value.twice!r} stands twice")
    timestamp_ms, tag, valor = _timestamp_ms(value), _tag(value), _valor(value)
    for part in (timestamp_ms, tag, valor):
        if isinstance(part, Reject):
            return part
    return Event(cast(int, timestamp_ms), cast(str, tag), cast(str, valor))


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    members = _Members(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        members.twice = next((key for key in _KEYS if keys.count(key) > 1), None)
    return members


def _no_constant(name: str) -> NoReturn:
    raise Refusal("invalid_json", f"not JSON: {name} is no JSON value")


def _timestamp_ms(members: _Members) -> int | Reject:
    if "timestamp" not in members:
        return Reject("timestamp_missing", "timestamp is missing")
    timestamp = members["timestamp"]
    if not isinstance(timestamp, _NumberText):
        return Reject("timestamp_type", f"timestamp must be an integer of milliseconds, not {_kind(timestamp)}")
    if not timestamp.removeprefix("-").isdigit():
        return Reject(
            "timestamp_type",
            "timestamp must be an integer of milliseconds, not a number with a fraction or an exponent",
        )
    # int() refuses thousands of digits; forty are as far out of any range.
    return int(timestamp[:40])


def _tag(members: _Members) -> str | Reject:
    tag = members.get("tag")
    if "tag" not in members:
        return Reject("tag_missing", "tag is missing")
    if not isinstance(tag, str) or isinstance(tag, _NumberText):
        return Reject("tag_type", f"tag must be a string, not {_kind(tag)}")
    return _encodable("tag", tag)


def _valor(members: _Members) -> str | Reject:
    valor = members.get("valor")
    if valor is None:
        return ""
    if isinstance(valor, str):
        return _encodable("valor", str(valor))
    return Reject("valor_type", f"valor must be a string, a number or null, not {_kind(valor)}")


def _encodable(name: str, text: str) -> str | Reject:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Reject("lone_surrogate", f"{name} holds a lone surrogate, which no UTF-8 text can hold")
    return text


def _kind(value: Any) -> str:
    if isinstance(value, _NumberText):
        return "a number"
    return {str: "a string", bool: "a boolean", list: "an array", _Members: "an object"}.get(type(value), "null")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


# An event's keys are looked at, numbers stay as they are written, and NaN is none.
DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_NumberText, parse_float=_NumberText, parse_constant=_no_constant
)
# A value that begins at a place of a text, and where it ends.
SCAN = DECODER.raw_decode
TEXT_ERRORS = (UnicodeDecodeError, RecursionError, Refusal, json.JSONDecodeError)

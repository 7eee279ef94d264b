"""Line protocol, read as InfluxDB 2.9 reads it (its ``models/points.go`` is the grammar's source)."""

import math
import re
import sys
from collections.abc import Iterator

import msgspec

from ingest.errors import LineTooLong
from ingest.reject import Reject

MAX_KEY_BYTES = 65_535
MAX_SHOWN_BYTES = 200
# The code of every reject of this module.
LINE_PROTOCOL = "line_protocol"

# Groups are atomic, (?>(?:…)*), where a possessive (?:…)*+ would say the same: Python before 3.11.5 errs there.
# In the key a delimiter is escaped when the byte before it is a backslash, whatever stands before that one.
_MEASUREMENT = rb"[^, \n]++(?>(?:(?<=\\)[, ][^, \n]*+)*)"
_IN_TAG = rb"[^,= \n]++(?>(?:(?<=\\)[,= ][^,= \n]*+)*)"
# The first byte of a value may be an equals sign, though nobody should rely on it.
_TAG_VALUE = rb"(?:=?+" + _IN_TAG + rb"|=)"
_TAG = rb"," + _IN_TAG + rb"=" + _TAG_VALUE
# In the fields a backslash takes the next byte with it.
_FIELD_KEY = rb"(?=[^,= \n])[^,= \n\\]*+(?>(?:\\.[^,= \n\\]*+)*)"
_FLOAT = rb"-?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?>(?:[eE][+-]?[0-9]++)?)"
_BOOLEAN = rb"(?:true|True|TRUE|false|False|FALSE|[tTfF])"
_STRING = rb'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"'
_VALUE = rb"(?:" + _STRING + rb"|-?[0-9]++i|[0-9]++u|" + _FLOAT + rb"|" + _BOOLEAN + rb")(?=[, \r\n]|\Z)"
_FIELD = _FIELD_KEY + rb"=" + _VALUE

_LINE_KEY = _MEASUREMENT + rb"(?>(?:" + _TAG + rb")*)"
_LINE_FIELDS = _FIELD + rb"(?>(?:," + _FIELD + rb")*)"
# After the blank that ends a part of the line, these are passed over.
_GAP = rb" [ \t\0]*+"
_LINE_END = rb"\r?(?:\n|\Z)"
# Without groups, and to be matched with re.DOTALL.
ANY_LINE = _LINE_KEY + _GAP + _LINE_FIELDS + rb"(?>(?:" + _GAP + rb"(?>(?:-?[0-9]++ *+)?))?)" + _LINE_END

_LINE = re.compile(
    rb"(?P<key>" + _LINE_KEY + rb")" + _GAP + rb"(?P<fields>" + _LINE_FIELDS + rb")"
    rb"(?>(?:" + _GAP + rb"(?>(?:(?P<time>-?[0-9]++) *+)?))?)" + _LINE_END,
    re.DOTALL,
)
_BLANKS_AND_COMMENTS = re.compile(rb"(?>(?:[ \t\0\r\n]++|#[^\n]*+)*)")
_TAGS = re.compile(rb",(?P<key>" + _IN_TAG + rb")=(?P<value>" + _TAG_VALUE + rb")")
_FIELDS = re.compile(rb"(?P<key>" + _FIELD_KEY + rb")=(?P<value>" + _VALUE + rb"),?", re.DOTALL)
_FIELD_KEYS = re.compile(rb"(" + _FIELD_KEY + rb")=" + _VALUE + rb",?", re.DOTALL)
_KEY = re.compile(_LINE_KEY)
_NUMBER_TO_CHECK = re.compile(rb"=[-0-9.]*+(?:[eE]|(?<=[0-9.]{17}))")
# A line that does not parse ends where InfluxDB sees its end: quotes count in the value of a field only. But a string
# that is never closed, and a backslash before a newline, take no further line with them.
_BROKEN_VALUE = rb'=(?>(?:[^",\\\n]++|\\[^\n]|' + _STRING + rb'|["\\])*)'
_BROKEN_LINE = re.compile(
    rb"(?>(?:[^\\ \n]++|\\[^\n])*)(?>(?:[^=\\\n]++|\\[^\n]|" + _BROKEN_VALUE + rb"|\\)*)\n?", re.DOTALL
)
_RESERVED_TAG_KEYS = frozenset({b"_field", b"_measurement", b"time", b"\x00", b"\xff"})
_RESERVED_FIELD_KEY = b"time"


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line that parses: ``key`` (measurement and tags) and ``fields`` as they came, ``time`` in its own precision."""

    key: bytes
    fields: bytes
    time: int | None


class BadLine(msgspec.Struct, frozen=True):
    """A line that InfluxDB would refuse, its reason in InfluxDB's words."""

    reject: Reject


def parse_lines(body: bytes, longest: int = sys.maxsize) -> Iterator[Line | BadLine]:
    """Every line of ``body`` in order, without blank lines and comments; a newline inside a string ends no line.

    Raises LineTooLong at one of more than ``longest`` bytes.
    """
    for start, end, match in _matches(body, longest):
        if match is None:
            yield _bad(body[start:end])
            continue
        time = match["time"]
        refusal = _number_refusal(match["fields"]) or _time_refusal(time)
        if refusal is not None:
            yield BadLine(_unparsable(match.group(), refusal))
        else:
            yield Line(match["key"], match["fields"], int(time) if time else None)


def split_lines(body: bytes) -> list[bytes]:
    """The lines of ``body``, good and bad, each with its newline if it had one; blank lines and comments left out."""
    return [body[start:end] for start, end, _ in _matches(body, sys.maxsize)]


def _matches(body: bytes, longest: int) -> Iterator[tuple[int, int, re.Match[bytes] | None]]:
    """Where each line starts and ends, and what it matches; None if it does not parse."""
    position = _skip(body, 0)
    while position < len(body):
        stop = min(position + longest, len(body))
        match = _LINE.match(body, position, stop)
        end = match.end() if match else _line_end(body, position, stop)
        if end == stop < len(body) and body[end - 1 : end] != b"\n":
            raise LineTooLong(longest)
        yield position, end, match
        position = _skip(body, end)


def _skip(body: bytes, position: int) -> int:
    match = _BLANKS_AND_COMMENTS.match(body, position)
    return match.end() if match else position


def _line_end(body: bytes, position: int, stop: int) -> int:
    match = _BROKEN_LINE.match(body, position, stop)
    return match.end() if match else stop


def parse_tags(key: bytes) -> dict[bytes, bytes] | Reject:
    """The unescaped tags of a line's ``key``, or what InfluxDB holds against them."""
    if len(key) > MAX_KEY_BYTES:
        return _unparsable(key, f"max key length exceeded: {len(key)} > {MAX_KEY_BYTES}")
    tags: dict[bytes, bytes] = {}
    for match in _TAGS.finditer(key, len(measurement_text(key))):
        name = unescape_key(match["key"])
        if name in _RESERVED_TAG_KEYS:
            return _unparsable(key, f'cannot use reserved tag key "{_shown(name)}"')
        if name in tags:
            return _unparsable(key, "duplicate tags")
        tags[name] = unescape_key(match["value"])
    return tags


def key_of(line: bytes) -> bytes:
    """The key of a line that parses."""
    match = _KEY.match(line)
    return match.group() if match else b""


def measurement_text(key: bytes) -> bytes:
    """The measurement of a line's ``key``, still escaped."""
    match = re.match(_MEASUREMENT, key)
    return match.group() if match else b""


def parse_fields(fields: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a line that parses: unescaped names, values as they stand (a string with its quotes)."""
    return [(unescape_key(match["key"]), match["value"]) for match in _FIELDS.finditer(fields)]


def field_keys(fields: bytes) -> list[bytes]:
    """The names of the fields of a line that parses, as they stand."""
    return _FIELD_KEYS.findall(fields)


def field_refusal(line: Line) -> Reject | None:
    """What InfluxDB holds against a field of a line that parses; it would say so when the sender is gone."""
    if _RESERVED_FIELD_KEY not in line.fields or _RESERVED_FIELD_KEY not in dict(parse_fields(line.fields)):
        return None
    return _unparsable(line.key, 'invalid field name: input field "time" is reserved')


def unescape_key(text: bytes) -> bytes:
    """A measurement, tag or field name without its escapes; a backslash before anything else is itself."""
    return re.sub(rb"\\([,= ])", rb"\1", text) if b"\\" in text else text


def unescape_string(value: bytes) -> bytes:
    """The content of a quoted string field."""
    inner = value[1:-1]
    return re.sub(rb'\\(["\\])', rb"\1", inner) if b"\\" in inner else inner


def _number_refusal(fields: bytes) -> str | None:
    if not _NUMBER_TO_CHECK.search(fields):
        return None
    for _, value in parse_fields(fields):
        refusal = _range_refusal(value)
        if refusal is not None:
            return refusal
    return None


def _range_refusal(value: bytes) -> str | None:
    if value[:1] not in b"-.0123456789":
        return None
    match value[-1:]:
        case b"i":
            fits = _in_range(value[:-1], -(2**63), 2**63)
        case b"u":
            fits = _in_range(value[:-1], 0, 2**64)
        case _:
            return None if math.isfinite(float(value)) else "invalid float"
    return None if fits else f"unable to parse integer {_shown(value[:-1])}: value out of range"


def _time_refusal(time: bytes | None) -> str | None:
    return None if time is None or _in_range(time, -(2**63), 2**63) else "bad timestamp: value out of range"


def _in_range(digits: bytes, low: int, high: int) -> bool:
    # int() refuses thousands of digits; forty are out of any range already, leading zeros aside.
    significant = digits.lstrip(b"-").lstrip(b"0")
    return (
        len(significant) < 40 and low <= int(b"-0" + significant if digits[:1] == b"-" else b"0" + significant) < high
    )


def _bad(line: bytes) -> BadLine:
    text = line.rstrip(b"\r\n")
    return BadLine(_unparsable(text, _reason(text)))


def _reason(text: bytes) -> str:
    key = _KEY.match(text)
    if key is None:
        return "missing measurement"
    rest = text[key.end() :]
    if rest.startswith(b","):
        return _tag_reason(rest)
    if not rest.strip():
        return "missing fields"
    return _field_reason(rest.lstrip(b" "))


def _tag_reason(rest: bytes) -> str:
    name, equals, _ = rest[1:].partition(b"=")
    if not name or name[:1] in b" ,":
        return "missing tag key"
    return "invalid tag format" if equals and b" " not in name and b"," not in name else "missing tag value"


def _field_reason(rest: bytes) -> str:
    fields = re.match(_LINE_FIELDS, rest, re.DOTALL)
    if fields:
        tail = rest[fields.end() :]
        return "invalid field format" if tail.startswith(b",") else "bad timestamp"
    _, equals, value = rest.partition(b"=")
    if not equals:
        return "invalid field format"
    if value[:1] in (b"", b",", b" "):
        return "missing field value"
    if value.startswith(b'"'):
        return "unbalanced quotes"
    return "invalid number" if value[:1] in b"-.0123456789nN" else "invalid boolean"


def _unparsable(text: bytes, reason: str) -> Reject:
    return Reject(LINE_PROTOCOL, f"unable to parse '{_shown(text.rstrip())}': {reason}")


def _shown(text: bytes) -> str:
    shown = text if len(text) <= MAX_SHOWN_BYTES else text[:MAX_SHOWN_BYTES] + "…".encode()
    return shown.decode(errors="replace")

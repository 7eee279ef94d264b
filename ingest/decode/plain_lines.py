"""Bodies of plain lines of ``events`` only, a column at a time: key, field and time, with one blank between them."""

from collections.abc import Callable, Iterable

import msgspec

from ingest.bounded import Memo
from ingest.decode.event_lines import name_of, valor_of
from ingest.event import NS_PER_MS
from ingest.events import Events
from ingest.fields import numbers_at_once
from ingest.line_parser import Line, parse_lines
from ingest.tag import MAX_CACHED_TAGS

_START = b"events,"
_VALUE = b"value="
# Stand for what would part a text in two.
_BLANK, _NEWLINE = b"\x01", b"\x02"
_NEVER_PLAIN = (ord("\\"), ord(_BLANK), ord(_NEWLINE))
# Of a line: key, field, time, and its end.
_PARTS = 4
_MAX_CACHED_KEY_BYTES = 512
_MAX_CACHED_FIELDS = 20_000
_MAX_CACHED_FIELD_BYTES = 32
_TIMES = msgspec.json.Decoder(list[int])


class _NotPlain(Exception):
    """Something that has to be looked at in its line."""


class PlainLines:
    """Remembers what each key and each field means: a series sends the same key again and again.

    But only the keys whose tag ``is_known``, or a flood of names would drive out the others.
    """

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._tags = Memo(_tags, MAX_CACHED_TAGS, _MAX_CACHED_KEY_BYTES, is_known)
        self._valores = Memo(_valores, _MAX_CACHED_FIELDS, _MAX_CACHED_FIELD_BYTES)

    def events(self, body: bytes, unit_ns: int) -> Events | None:
        """The events of all lines, if they are plain, as yet unchecked; times are in units of ``unit_ns``."""
        if not body.startswith(_START) or any(mark in body for mark in _NEVER_PLAIN):
            return None
        parts = _parts(body) or (_parts(_with_stand_ins(body)) if b'"' in body else None)
        if parts is None:
            return None
        try:
            return Events(
                _timestamps_ms(parts[2::_PARTS], unit_ns),
                self._tags.column(parts[0::_PARTS]),
                self._valores.column(parts[1::_PARTS]),
            )
        except _NotPlain:
            return None


def _parts(body: bytes) -> list[bytes] | None:
    parts = body.removesuffix(b"\n").replace(b"\n", b" \n ").split(b" ")
    ends = parts[3::_PARTS]
    fit = len(parts) == len(ends) * _PARTS + _PARTS - 1 and ends.count(b"\n") == len(ends)
    return parts if fit else None


def _with_stand_ins(body: bytes) -> bytes:
    """For blanks and newlines between quotes. If these are not those of a text, the field will not be one."""
    pieces = body.split(b'"')
    pieces[1::2] = b'"'.join(pieces[1::2]).replace(b" ", _BLANK).replace(b"\n", _NEWLINE).split(b'"')
    return b'"'.join(pieces)


def _as_it_came(field: bytes) -> bytes:
    return field.replace(_BLANK, b" ").replace(_NEWLINE, b"\n")


def _timestamps_ms(times: list[bytes], unit_ns: int) -> list[int]:
    if not b"".join(times).isdigit():
        raise _NotPlain
    try:
        values = _TIMES.decode(b"[%b]" % b",".join(times))
    except ValueError:
        # One is missing, or begins with a nought.
        raise _NotPlain from None
    if unit_ns < NS_PER_MS:
        units = NS_PER_MS // unit_ns
        return [value // units for value in values]
    return [value * (unit_ns // NS_PER_MS) for value in values]


def _tags(keys: list[bytes]) -> list[str]:
    lines = _parsed(b"%b v=1" % key for key in keys)
    tags = [name for name in (name_of(line.key) for line in lines) if isinstance(name, str)]
    if [line.key for line in lines] != list(map(_as_it_came, keys)) or len(tags) != len(keys):
        raise _NotPlain
    return tags


def _valores(fields: list[bytes]) -> list[str]:
    return _numbers(fields) or _texts(fields)


def _numbers(fields: list[bytes]) -> list[str] | None:
    """What plain numbers are as they stand. A comma too many, and they are fewer or more than the fields."""
    joined = b",".join(fields)
    if not joined.startswith(_VALUE) or not joined.isascii():
        return None
    numbers = joined[len(_VALUE) :].decode().split(f",{_VALUE.decode()}")
    are_numbers = len(numbers) == len(fields) and numbers_at_once(",".join(numbers), len(fields)) is not None
    return numbers if are_numbers else None


def _texts(fields: list[bytes]) -> list[str]:
    as_they_came = list(map(_as_it_came, fields))
    lines = _parsed(b"m %b 1" % field for field in as_they_came)
    valores = [valor for valor in (valor_of(line.fields) for line in lines) if isinstance(valor, str)]
    if [line.fields for line in lines] != as_they_came or len(valores) != len(fields):
        raise _NotPlain
    return valores


def _parsed(lines: Iterable[bytes]) -> list[Line]:
    return [line for line in parse_lines(b"\n".join(lines)) if isinstance(line, Line)]

"""What a series is called: that of events by their tag, any other by its measurement and tags."""

from collections.abc import Mapping

from ingest.line_parser import key_of, measurement_text, parse_fields, parse_tags, unescape_key
from ingest.line_protocol import MEASUREMENT
from ingest.reject import Reject

Name = str | bytes
"""``country.region.sensor``, or bytes: another measurement with its tags, or a field of one."""

_EVENTS = MEASUREMENT.encode()
_SEGMENTS = (b"country", b"region", b"sensor")


def name_of_key(key: bytes) -> Name | Reject:
    """The name of the series that a line's ``key`` says, or what InfluxDB holds against it.

    Raises UnicodeDecodeError where the tag of an event is no UTF-8.
    """
    tags = parse_tags(key)
    if isinstance(tags, Reject):
        return tags
    measurement = measurement_of(key)
    return tag_of(tags) if measurement == _EVENTS else _name(measurement, tags)


def name_of_field(measurement: bytes, field: bytes) -> Name:
    """What a field of another measurement is known by; both unescaped. No measurement begins with a line break."""
    return b"\nfield %b\n%b" % (measurement, field)


def names_of_line(line: bytes) -> list[Name]:
    """The names of the series of a line that has been decoded, and of its fields where it is no event."""
    key = key_of(line)
    name = name_of_key(key)
    if not isinstance(name, bytes):
        return [name] if isinstance(name, str) else []
    measurement, fields = measurement_of(key), line[len(key) + 1 : line.rindex(b" ")]
    return [name, *(name_of_field(measurement, field) for field, _ in parse_fields(fields))]


def measurement_of(key: bytes) -> bytes:
    """The measurement of a line's ``key``, unescaped."""
    return unescape_key(measurement_text(key))


def tag_of(tags: Mapping[bytes, bytes]) -> str:
    """The ``country.region.sensor`` that the tags of a line say."""
    return ".".join(tags.get(segment, b"").decode() for segment in _SEGMENTS)


def _name(measurement: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    # In whichever order they come, InfluxDB sorts them.
    return b",".join([measurement, *(b"%b=%b" % pair for pair in sorted(tags.items()))])

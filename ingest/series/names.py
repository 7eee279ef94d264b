"""What a series is called: that of events by their tag, any other by its measurement and tags."""

from collections.abc import Mapping

from ingest.line_parser import key_of, measurement_text, parse_tags, unescape_key
from ingest.line_protocol import MEASUREMENT
from ingest.reject import Reject

Name = str | bytes
"""``country.region.sensor``, or the bytes of another measurement's name."""

_EVENTS = MEASUREMENT.encode()
_SEGMENTS = (b"country", b"region", b"sensor")


def name_of_key(key: bytes) -> Name | Reject:
    """The name of the series that a line's ``key`` says, or what InfluxDB holds against it.

    Raises UnicodeDecodeError where the tag of an event is no UTF-8.
    """
    tags = parse_tags(key)
    if isinstance(tags, Reject):
        return tags
    measurement = unescape_key(measurement_text(key))
    return tag_of(tags) if measurement == _EVENTS else _name(measurement, tags)


def name_of_line(line: bytes) -> Name:
    """The name of the series of a line that has been decoded."""
    name = name_of_key(key_of(line))
    return b"" if isinstance(name, Reject) else name


def tag_of(tags: Mapping[bytes, bytes]) -> str:
    """The ``country.region.sensor`` that the tags of a line say."""
    return ".".join(tags.get(segment, b"").decode() for segment in _SEGMENTS)


def _name(measurement: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    # In whichever order they come, InfluxDB sorts them.
    return b",".join([measurement, *(b"%b=%b" % pair for pair in sorted(tags.items()))])

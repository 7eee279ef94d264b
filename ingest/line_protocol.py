"""Events to InfluxDB line protocol: one line an event, one field a line."""

import msgspec

from ingest.events import Events
from ingest.fields import Fields
from ingest.tag import MAX_CACHED_TAG_CHARACTERS, MAX_CACHED_TAGS, Tag, parse_tag

MEASUREMENT = "events"
# Of a line: what its tag says, what its valor says, the milliseconds, and what the valor says again.
_PARTS = 4


class LineEncoder:
    """Writes events as lines, a column at a time.

    Remembers what each part of a line is: a sensor sends under the same tag every second, and readings recur.
    """

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._fields = Fields()

    def encode(self, events: Events) -> bytes:
        """A line for each event, ended by a newline; times in nanoseconds. The events have passed the rules."""
        number = len(events)
        if number < 2:
            return self._line(events) if events else b""
        parts = [b""] * (_PARTS * number)
        parts[0::_PARTS] = self._keys_of(events.tags)
        parts[1::_PARTS], parts[3::_PARTS] = self._fields.columns(events.valores)
        # Digits side by side are the millisecond in nanoseconds plus the offset, without arithmetic.
        parts[2::_PARTS] = msgspec.json.encode(events.timestamps_ms)[1:-1].split(b",")
        return b"".join(parts)

    def _line(self, events: Events) -> bytes:
        (timestamp_ms,), (tag,), (valor,) = events.timestamps_ms, events.tags, events.valores
        head, tail = self._fields.parts(valor)
        return b"%b%b%d%b" % (self._keys.get(tag) or self._new_key(tag), head, timestamp_ms, tail)

    def _keys_of(self, tags: list[str]) -> list[bytes]:
        try:
            return list(map(self._keys.__getitem__, tags))
        except KeyError:
            return [self._keys.get(tag) or self._new_key(tag) for tag in tags]

    def _new_key(self, text: str) -> bytes:
        tag = parse_tag(text)
        if not isinstance(tag, Tag):
            raise ValueError(f"tag {text!r} was never checked: {tag.reason}")
        # A segment holds nothing that line protocol would want escaped.
        key = f"{MEASUREMENT},country={tag.country},region={tag.region},sensor={tag.sensor},status=".encode()
        if len(text) <= MAX_CACHED_TAG_CHARACTERS:
            if len(self._keys) >= MAX_CACHED_TAGS:
                self._keys = {}
            self._keys[text] = key
        return key


def escape_key(text: str) -> str:
    """``text`` as it stands in a tag's value."""
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")

"""Events to InfluxDB line protocol: one line an event, one field a line."""

import msgspec

from ingest import fields
from ingest.bounded import Memo
from ingest.events import Events
from ingest.tag import MAX_CACHED_TAG_CHARACTERS, MAX_CACHED_TAGS

MEASUREMENT = "events"
_MAX_CACHED_VALORES = 20_000
_MAX_CACHED_VALOR_CHARACTERS = 24
# Of a line: what its tag says, what its valor says, the milliseconds, and what the valor says again.
_PARTS = 4


class LineEncoder:
    """Writes events as lines, a column at a time.

    Remembers the parts: a sensor sends under the same tag every second, and readings of few digits recur.
    """

    def __init__(self, max_cached_valores: int = _MAX_CACHED_VALORES) -> None:
        self._keys = Memo(_keys, MAX_CACHED_TAGS, MAX_CACHED_TAG_CHARACTERS)
        self._heads = Memo(fields.heads, max_cached_valores, _MAX_CACHED_VALOR_CHARACTERS)
        self._tails = Memo(fields.tails, max_cached_valores, _MAX_CACHED_VALOR_CHARACTERS)

    def encode(self, events: Events) -> bytes:
        """A line for each event, ended by a newline; times in nanoseconds. The events have passed the rules."""
        number = len(events)
        if number < 2:
            return self._line(events) if number else b""
        parts = [b""] * (_PARTS * number)
        parts[0::_PARTS] = self._keys.column(events.tags)
        parts[1::_PARTS] = self._heads.column(events.valores)
        # Digits side by side are the millisecond in nanoseconds plus the offset, without arithmetic.
        parts[2::_PARTS] = msgspec.json.encode(events.timestamps_ms)[1:-1].split(b",")
        parts[3::_PARTS] = self._tails.column(events.valores)
        return b"".join(parts)

    def _line(self, events: Events) -> bytes:
        (timestamp_ms,), (tag,), (valor,) = events.timestamps_ms, events.tags, events.valores
        return b"%b%b%d%b" % (self._keys.of(tag), self._heads.of(valor), timestamp_ms, self._tails.of(valor))


def escape_key(text: str) -> str:
    """``text`` as it stands in a tag's value."""
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _keys(tags: list[str]) -> list[bytes]:
    return [_key(tag) for tag in tags]


def _key(tag: str) -> bytes:
    # A segment holds nothing that line protocol would want escaped.
    country, region, sensor = tag.split(".")
    return f"{MEASUREMENT},country={country},region={region},sensor={sensor},status=".encode()
